/** The limits of a request body: bytes, chunks and time, and what happens when it is broken off. */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { HttpError } from "../../../lib/http/http_error.ts";
import { maxBodyBytes, maxBodyMs, readJson } from "../../../lib/http/request_body.ts";
import { watchSignal } from "../../support/listeners.ts";
import { json, post, refusalOf, streamOf } from "../../support/json_body.ts";

const encoder = new TextEncoder();

/** JSON of exactly so many bytes: a text in quotes. */
function jsonOf(byteCount: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(`"${"x".repeat(byteCount - 2)}"`);
}

Deno.test("readJson() has the limits of the contract", () => {
  assertEquals([maxBodyBytes, maxBodyMs], [16_384, 10_000]);
});

const sizes: readonly (readonly [byteCount: number, isTaken: boolean])[] = [
  [maxBodyBytes - 1, true],
  [maxBodyBytes, true],
  [maxBodyBytes + 1, false],
  [1_048_576, false],
];
for (const [byteCount, isTaken] of sizes) {
  Deno.test(`readJson() ${isTaken ? "takes" : "refuses"} a body of ${byteCount} bytes with any headers`, async () => {
    const body = jsonOf(byteCount);
    const chunks = Array.from(
      { length: Math.ceil(byteCount / 1_000) },
      (_, index) => body.slice(index * 1_000, (index + 1) * 1_000),
    );
    const declared = ["", String(byteCount), "5", "-1", "0", "abc"];
    for (const length of declared) {
      const headers = length === "" ? json : { ...json, "content-length": length };
      for (const request of [post(streamOf(body), headers), post(streamOf(...chunks), headers)]) {
        if (isTaken) assertEquals(await readJson(request), "x".repeat(byteCount - 2));
        else assertEquals((await refusalOf(request)).code, "body-too-large");
      }
    }
  });
}

Deno.test("readJson() believes a content length that is too long, and reads nothing then", async () => {
  for (const length of [String(maxBodyBytes + 1), "1e9", "99999999999999999999"]) {
    const request = post(streamOf(encoder.encode("{}")), { ...json, "content-length": length });
    assertEquals((await refusalOf(request)).code, "body-too-large");
    assertEquals([request.bodyUsed, await request.text()], [false, "{}"]);
  }
});

Deno.test("readJson() stops reading at the limit, gives the rest up, and has the connection closed", async () => {
  let pulledBytes = 0;
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      controller.enqueue(new Uint8Array(1_024));
      pulledBytes += 1_024;
    },
    cancel: () => resolve(),
  });
  const error = await refusalOf(post(endless));
  assertEquals([error.code, error.headers], ["body-too-large", { connection: "close" }]);
  await cancelled;
  // One chunk more than fits, and what the stream itself holds ready.
  assert(pulledBytes <= maxBodyBytes + 4 * 1_024, `${pulledBytes}`);
});

Deno.test("readJson() takes a body in 256 chunks, and in no more", async () => {
  const inChunks = (count: number) =>
    streamOf(...Array.from(`"${"x".repeat(count - 2)}"`, (one) => encoder.encode(one)));
  assertEquals(await readJson(post(inChunks(256))), "x".repeat(254));
  const error = await refusalOf(post(inChunks(257)));
  assertEquals([error.code, error.headers], ["body-too-large", { connection: "close" }]);
});

Deno.test("readJson() takes the limits that it is given", async () => {
  assertEquals(await readJson(post(streamOf(jsonOf(10))), { maxBytes: 10 }), "x".repeat(8));
  assertEquals((await refusalOf(post(streamOf(jsonOf(11))), { maxBytes: 10 })).code, "body-too-large");
  const long = post(streamOf(jsonOf(11)), { ...json, "content-length": "11" });
  assertEquals((await refusalOf(long, { maxBytes: 10 })).code, "body-too-large");
});

Deno.test("readJson() gives up a body that does not come, and has the connection closed", async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => resolve() });
  const error = await refusalOf(post(silent), { timeoutMs: 1 });
  assertEquals([error.code, error.headers], ["slow-body", { connection: "close" }]);
  await cancelled;
});

Deno.test("readJson() gives up a body that drips for longer than it may, though something always comes", async () => {
  const { promise: given, resolve: giveUp } = Promise.withResolvers<void>();
  let drops = 0;
  async function* drip() {
    try {
      for (;; drops++) {
        await delay(1);
        yield encoder.encode(" ");
      }
    } finally {
      giveUp();
    }
  }
  assertEquals((await refusalOf(post(ReadableStream.from(drip())), { timeoutMs: 20 })).code, "slow-body");
  await given;
  assert(drops > 0 && drops < maxBodyBytes);
});

Deno.test("readJson() does not wait for a client that does not take back what it sends", async () => {
  const stubborn = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => new Promise(() => {}) });
  assertEquals((await refusalOf(post(stubborn), { timeoutMs: 1 })).code, "slow-body");
  const rude = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => Promise.reject(new Error("no")) });
  assertEquals((await refusalOf(post(rude), { timeoutMs: 1 })).code, "slow-body");
});

Deno.test("readJson() waits 10 s, and leaves no timer behind", async () => {
  const { setTimeout, clearTimeout } = globalThis;
  const open = new Map<unknown, number | undefined>();
  const waits: (number | undefined)[] = [];
  const stubs = {
    setTimeout: (work: () => void, ms?: number) => {
      const timer = setTimeout(work, ms);
      open.set(timer, ms);
      waits.push(ms);
      return timer;
    },
    clearTimeout: (timer?: ReturnType<typeof setTimeout>) => {
      clearTimeout(timer);
      open.delete(timer);
    },
  };
  Object.assign(globalThis, stubs);
  try {
    await readJson(post("{}"));
    await refusalOf(post(streamOf(jsonOf(maxBodyBytes + 1))));
    await refusalOf(post(ReadableStream.from(failing())));
    assertEquals([waits, open.size], [[maxBodyMs, maxBodyMs, maxBodyMs], 0]);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});

async function* failing(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield encoder.encode('{"login":"al');
  await Promise.resolve();
  throw new Deno.errors.ConnectionReset("gone");
}

Deno.test("readJson() takes a body that is broken off for the client's fault", async () => {
  const error = await refusalOf(post(ReadableStream.from(failing())));
  assertEquals([error.code, error.detail], ["malformed-json", "The body is incomplete"]);
  assertInstanceOf(error.cause, Deno.errors.ConnectionReset);
});

Deno.test("readJson() takes a body that is broken off by the service's own end for nobody's fault", async () => {
  const stopping = new AbortController();
  const fault = async () => (await refusalOf(post(ReadableStream.from(failing())), { stopping: stopping.signal })).code;
  assertEquals(await fault(), "malformed-json");
  stopping.abort("SIGTERM");
  assertEquals(await fault(), "not-ready");
});

Deno.test("readJson() waits for no body when the service is about to stop, or does so meanwhile", async () => {
  for (const isEarly of [true, false]) {
    const stopping = new AbortController();
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel: () => resolve() });
    if (isEarly) stopping.abort();
    const refused = refusalOf(post(silent), { stopping: stopping.signal });
    stopping.abort();
    assertEquals([(await refused).code, (await refused).headers], ["not-ready", { "retry-after": "5" }]);
    await cancelled;
  }
  // What has come already is not refused.
  assertEquals(await readJson(post("{}"), { stopping: AbortSignal.abort() }), {});
});

Deno.test("readJson() leaves no listener on a signal that outlives the request, however the body ends", async () => {
  const stopping = watchSignal();
  const bodies: (() => Request)[] = [
    () => post("{}"),
    () => post(streamOf(jsonOf(maxBodyBytes + 1))),
    () => post(ReadableStream.from(failing())),
    () => post(new ReadableStream<Uint8Array<ArrayBuffer>>()),
    () => post("{"),
  ];
  for (let round = 0; round < 20; round++) {
    for (const body of bodies) {
      await readJson(body(), { stopping: stopping.signal, timeoutMs: 1 }).catch((error) =>
        assertInstanceOf(error, HttpError)
      );
    }
  }
  assertEquals([stopping.addedCount, stopping.openCount], [100, 0]);
});
