import { assert, assertEquals, assertRejects } from "@std/assert";
import { watchSignal } from "../../support/listeners.ts";
import { sanitized } from "../../support/sanitized.ts";
import { EventStreams, type StreamOptions } from "../../../lib/http/event_stream.ts";

/** A reader of a stream, by events: their names, and the data of all but the first. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined) {
    assert(stream !== undefined);
    this.#reader = stream.getReader();
  }

  /** The text of the next event; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    const { value } = await this.#reader.read();
    return value && new TextDecoder().decode(value);
  }

  async rest(): Promise<string[]> {
    const texts: string[] = [];
    for (let text = await this.next(); text !== undefined; text = await this.next()) texts.push(text);
    return texts;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** What `options` does not say: events that are counted, as fast as they are read. */
function optionsWith(options: Partial<StreamOptions> = {}): StreamOptions {
  let count = 0;
  return {
    first: () => Promise.resolve({ name: "first", data: [] }),
    next: () => Promise.resolve({ name: "next", data: ++count }),
    maxEvents: 1_000,
    everyMs: 1,
    stopping: new AbortController().signal,
    onFault: (error) => {
      throw error;
    },
    ...options,
  };
}

/** Events that end after so many. */
function countTo(last: number): StreamOptions["next"] {
  let count = 0;
  return () => Promise.resolve(++count > last ? undefined : { name: "count", data: count });
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => condition() ? resolve() : setTimeout(look, 1);
    look();
  });
}

Deno.test("open() sends the first event at once and then one after another, to the end", sanitized, async () => {
  const streams = new EventStreams(1);
  const first = { name: "first", data: { text: "two\nlines", none: null } };
  const reader = new Reader(await streams.open(optionsWith({ first: () => Promise.resolve(first), next: countTo(2) })));
  assertEquals(await reader.rest(), [
    'event: first\nretry: 1000\ndata: {"text":"two\\nlines","none":null}\n\n',
    "event: count\nretry: 1000\ndata: 1\n\n",
    "event: count\nretry: 1000\ndata: 2\n\n",
  ]);
  assertEquals(streams.openCount, 0);
});

Deno.test("open() ends the stream after as many events as are wanted, and makes no more", sanitized, async () => {
  for (const maxEvents of [1, 3]) {
    let count = 0;
    const next = () => Promise.resolve({ name: "next", data: ++count });
    const streams = new EventStreams(1);
    const texts = await new Reader(await streams.open(optionsWith({ next, maxEvents }))).rest();
    assertEquals([texts.length, count, streams.openCount], [1 + maxEvents, maxEvents, 0]);
  }
});

Deno.test("open() pauses before each event", sanitized, async () => {
  const streams = new EventStreams(1);
  const startedAt = performance.now();
  await new Reader(await streams.open(optionsWith({ next: countTo(2), everyMs: 30 }))).rest();
  const ms = performance.now() - startedAt;
  assert(ms >= 85, `${ms}`);
});

Deno.test(
  "a stream ends at once when its reader goes away, in a pause and while an event is made",
  sanitized,
  async () => {
    const streams = new EventStreams(2);
    const pausing = new Reader(await streams.open(optionsWith({ everyMs: 3_600_000 })));
    await pausing.next();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let isAsked = false;
    const next = () => {
      isAsked = true;
      return promise;
    };
    const making = new Reader(await streams.open(optionsWith({ next })));
    await making.next();
    await until(() => isAsked);
    assertEquals(streams.openCount, 2);
    await pausing.cancel();
    await making.cancel();
    assertEquals(streams.openCount, 0);
    resolve(undefined);
    await promise;
  },
);

Deno.test("a stream ends when the service stops, in its pause", sanitized, async () => {
  const streams = new EventStreams(1);
  const stop = new AbortController();
  const reader = new Reader(await streams.open(optionsWith({ everyMs: 3_600_000, stopping: stop.signal })));
  assertEquals(await reader.next(), "event: first\nretry: 1000\ndata: []\n\n");
  const end = reader.next();
  stop.abort();
  assertEquals([await end, streams.openCount], [undefined, 0]);
});

Deno.test("a stream ends after its first event when the service has stopped", sanitized, async () => {
  const streams = new EventStreams(1);
  const reader = new Reader(await streams.open(optionsWith({ everyMs: 3_600_000, stopping: AbortSignal.abort() })));
  assertEquals([(await reader.rest()).length, streams.openCount], [1, 0]);
});

Deno.test("a stream ends when the next event fails, which is told", sanitized, async () => {
  const streams = new EventStreams(1);
  const faults: unknown[] = [];
  const error = new Error("disk");
  const options = { next: () => Promise.reject(error), onFault: (fault: unknown) => faults.push(fault) };
  const reader = new Reader(await streams.open(optionsWith(options)));
  assertEquals([(await reader.rest()).length, streams.openCount, faults], [1, 0, [error]]);
});

Deno.test("open() opens as many as there may be, and one more for each that ends", sanitized, async () => {
  const streams = new EventStreams(2);
  const stop = new AbortController();
  const options = optionsWith({ everyMs: 3_600_000, stopping: stop.signal });
  const readers = [new Reader(await streams.open(options)), new Reader(await streams.open(options))];
  assertEquals([await streams.open(options), streams.openCount], [undefined, 2]);
  await readers[0]?.cancel();
  await readers[0]?.cancel();
  const another = new Reader(await streams.open(options));
  assertEquals([await streams.open(options), streams.openCount], [undefined, 2]);
  stop.abort();
  await Promise.all([readers[1]?.rest(), another.rest()]);
  assertEquals(streams.openCount, 0);
});

Deno.test("nothing piles up for a reader who does not read", sanitized, async () => {
  let count = 0;
  const next = () => Promise.resolve({ name: "next", data: ++count });
  const reader = new Reader(await new EventStreams(1).open(optionsWith({ next })));
  await new Promise((resolve) => setTimeout(resolve, 50));
  // The first event waits to be read, and nothing has been made after it.
  assertEquals(count, 0);
  await reader.next();
  await until(() => count > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(count, 1);
  await reader.cancel();
});

Deno.test("open() leaves no listener on the signal of the service, however a stream ends", sanitized, async () => {
  const streams = new EventStreams(1);
  const stopping = watchSignal();
  const { signal } = stopping;
  await new Reader(await streams.open(optionsWith({ stopping: signal, next: countTo(1) }))).rest();
  await new Reader(await streams.open(optionsWith({ stopping: signal, maxEvents: 1 }))).rest();
  await new Reader(await streams.open(optionsWith({ stopping: signal }))).cancel();
  const faulty = { next: () => Promise.reject(new Error("disk")), onFault: () => {} };
  await new Reader(await streams.open(optionsWith({ stopping: signal, ...faulty }))).rest();
  assertEquals([stopping.addedCount, stopping.openCount, streams.openCount], [4, 0, 0]);
});

Deno.test("open() makes no first event without a place, and gives it back when there is none", async () => {
  const streams = new EventStreams(1);
  const reader = new Reader(await streams.open(optionsWith({ everyMs: 3_600_000 })));
  let count = 0;
  const first = () => {
    count++;
    return Promise.reject(new Error("no history"));
  };
  assertEquals([await streams.open(optionsWith({ first })), count], [undefined, 0]);
  await reader.cancel();
  const { signal } = new AbortController();
  for (let round = 1; round <= 2; round++) {
    await assertRejects(() => streams.open(optionsWith({ first, stopping: signal })), Error, "no history");
    assertEquals([streams.openCount, count], [0, round]);
  }
});
