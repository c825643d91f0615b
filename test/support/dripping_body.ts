/** Bodies that come slowly. */

/** A body of which the second half comes when `between` has been done. */
export function dripping(json: unknown, between: () => Promise<unknown>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      if (isFirst) {
        isFirst = false;
        return controller.enqueue(bytes.slice(0, 5));
      }
      await between();
      controller.enqueue(bytes.slice(5));
      controller.close();
    },
  }, { highWaterMark: 0 });
}
