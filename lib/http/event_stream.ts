/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), a bounded number of streams.
 *
 * A stream ends when there is nothing more to say or enough was said, when the service stops, and when the client goes
 * away; nothing of it is left then. A client that does not read is told nothing more until it does: nothing piles up
 * for it.
 */

import { delay } from "@std/async/delay";

/** One event. */
export interface StreamEvent {
  readonly name: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

export interface StreamOptions {
  /** What is sent at once; asked for once there is a place for the stream. */
  readonly first: () => Promise<StreamEvent>;
  /** What is sent then; `undefined` ends the stream. */
  readonly next: () => Promise<StreamEvent | undefined>;
  /** So many are sent after the first, at least 1; then the stream ends, and a browser comes again by itself. */
  readonly maxEvents: number;
  /** The pause before each `next`, milliseconds. */
  readonly everyMs: number;
  /** Ends the stream. */
  readonly stopping: AbortSignal;
  /** Told what `next` throws, which ends the stream. */
  readonly onFault: (error: unknown) => void;
}

/** How long a browser waits before it comes again, when the stream has ended or broken: as long as between events. */
const retryMs = 1_000;

/** Streams of events, as many at once as the service has strength for. */
export class EventStreams {
  readonly #maxOpen: number;
  #openCount = 0;

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen;
  }

  /** How many are open. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Begins a stream. @returns `undefined` when there are too many @throws what `first` throws */
  async open(options: StreamOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
    if (this.#openCount >= this.#maxOpen) return undefined;
    this.#openCount++;
    const { first, next, maxEvents, everyMs, stopping, onFault } = options;
    let left = maxEvents;
    const over = new AbortController();
    const end = () => {
      if (over.signal.aborted) return;
      over.abort();
      stopping.removeEventListener("abort", end);
      this.#openCount--;
    };
    stopping.addEventListener("abort", end);
    if (stopping.aborted) end();
    const begin = await first().catch((error) => {
      end();
      throw error;
    });
    return new ReadableStream({
      start: (controller) => controller.enqueue(encode(begin)),
      // The pause ends early with the stream.
      pull: async (controller) => {
        try {
          await delay(everyMs, { signal: over.signal });
          const event = await next();
          if (event !== undefined && !over.signal.aborted) {
            controller.enqueue(encode(event));
            if (--left > 0) return;
          }
        } catch (error) {
          if (!over.signal.aborted) onFault(error);
        }
        end();
        closeUnlessCancelled(controller);
      },
      cancel: end,
    });
  }
}

/** Whoever has gone away has closed it already. */
function closeUnlessCancelled(controller: ReadableStreamDefaultController): void {
  try {
    controller.close();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

function encode({ name, data }: StreamEvent): Uint8Array<ArrayBuffer> {
  // JSON has no line breaks, so it is one line of data.
  return new TextEncoder().encode(`event: ${name}\nretry: ${retryMs}\ndata: ${JSON.stringify(data)}\n\n`);
}
