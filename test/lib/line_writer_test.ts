import { assertEquals, assertLess } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { LineWriter } from "../../lib/line_writer.ts";

/** An output that takes what each of `outcomes` says: so many bytes, or an error; and then everything. */
class FakeOutput {
  readonly writes: string[] = [];
  readonly #outcomes: (number | Error)[];
  /** Awaited by each write: an output that nobody reads never resolves it. */
  isRead: Promise<void> = Promise.resolve();
  /** The most writes that were under way at once. */
  maxAtOnce = 0;
  #atOnce = 0;

  constructor(...outcomes: (number | Error)[]) {
    this.#outcomes = outcomes;
  }

  get text(): string {
    return this.writes.join("");
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.maxAtOnce = Math.max(this.maxAtOnce, ++this.#atOnce);
    await this.isRead;
    this.#atOnce--;
    const outcome = this.#outcomes.shift() ?? bytes.length;
    if (outcome instanceof Error) throw outcome;
    const taken = bytes.subarray(0, outcome);
    // Latin-1, so that a character cut in two shows as two halves.
    this.writes.push(Array.from(taken, (byte) => String.fromCharCode(byte)).join(""));
    return taken.length;
  }
}

function open(output: FakeOutput): LineWriter {
  return new LineWriter(output, (count) => `dropped ${count}\n`);
}

/** Waits until `isSo`, 5 s at most: what comes next tells what is not. */
async function until(isSo: () => boolean): Promise<void> {
  for (const endsAt = Date.now() + 5_000; !isSo() && Date.now() < endsAt;) await delay(5);
}

Deno.test("LineWriter writes the lines of one turn of the event loop at once", async () => {
  const output = new FakeOutput();
  await using writer = open(output);
  writer.write("one\n");
  writer.write("two\n");
  assertEquals(output.writes, []);
  await until(() => output.writes.length > 0);
  assertEquals(output.writes, ["one\ntwo\n"]);
  writer.write("three\n");
  await until(() => output.writes.length > 1);
  assertEquals(output.writes, ["one\ntwo\n", "three\n"]);
});

Deno.test("LineWriter writes immediately on flush() and on disposal, and nothing if it is empty", async () => {
  const output = new FakeOutput();
  {
    await using writer = open(output);
    await writer.flush();
    assertEquals(output.writes, []);
    writer.write("one\n");
    const flushed = writer.flush();
    // A flush that comes while a write is under way is for what was written meanwhile.
    writer.write("two\n");
    await Promise.all([flushed, writer.flush()]);
    assertEquals(output.writes, ["one\n", "two\n"]);
    writer.write("three\n");
  }
  assertEquals(output.writes, ["one\n", "two\n", "three\n"]);
});

Deno.test("LineWriter starts to write at 64 KiB", async () => {
  const output = new FakeOutput();
  await using writer = open(output);
  writer.write("x".repeat(65_000));
  await Promise.resolve();
  assertEquals(output.maxAtOnce, 0);
  writer.write("y".repeat(600));
  assertEquals(output.maxAtOnce, 1);
});

Deno.test("LineWriter goes on after a short write, also in the middle of a character", async () => {
  for (let cut = 1; cut < 4; cut++) {
    const output = new FakeOutput(cut);
    await using writer = open(output);
    writer.write("aüb\n");
    await writer.flush();
    assertEquals([output.writes.length, output.text], [2, "aÃ¼b\n"]);
  }
});

Deno.test("LineWriter tries again when disposed of, as long as it is in time", async () => {
  for (const [errorCount, text] of [[2, "one\n"], [1_000, ""]] as const) {
    const output = new FakeOutput(...Array<Error>(errorCount).fill(new Deno.errors.WouldBlock()));
    const writer = open(output);
    writer.write("one\n");
    await writer[Symbol.asyncDispose]();
    assertEquals(output.text, text);
  }
});

for (const error of [new Deno.errors.WouldBlock("slow reader"), new Error("No space left on device")]) {
  Deno.test(`LineWriter keeps what a passing error left over: ${error.message}`, async () => {
    const output = new FakeOutput(2, error, error);
    await using writer = open(output);
    writer.write("one\n");
    await writer.flush();
    writer.write("two\n");
    assertEquals(output.text, "on");
    await until(() => output.text.length === 8);
    assertEquals(output.text, "one\ntwo\n");
  });
}

Deno.test("LineWriter never waits for a reader, holds 1 MiB, and tells how many lines it dropped", async () => {
  const output = new FakeOutput();
  const { promise, resolve } = Promise.withResolvers<void>();
  output.isRead = promise;
  await using writer = open(output);
  const line = `${"x".repeat(99_999)}\n`;
  for (let count = 0; count < 13; count++) {
    writer.write(line);
    // What a write holds counts as well.
    await Promise.resolve();
  }
  assertEquals([output.writes.length, output.maxAtOnce], [0, 1]);
  resolve();
  await writer.flush();
  assertEquals(output.text, `${line.repeat(10)}dropped 3\n`);
  assertEquals(output.maxAtOnce, 1);
  writer.write("again\n");
  await writer.flush();
  assertEquals(output.writes.at(-1), "again\n");
});

Deno.test("LineWriter ends within a second though nobody reads", async () => {
  const output = new FakeOutput();
  output.isRead = new Promise(() => {});
  const writer = open(output);
  writer.write("lost\n");
  const startedAt = performance.now();
  await writer[Symbol.asyncDispose]();
  assertLess(performance.now() - startedAt, 2_000);
  writer.write("late\n");
  await writer.flush();
  assertEquals([output.writes, output.maxAtOnce], [[], 1]);
});

Deno.test("LineWriter stops writing for good when nobody can read any more", async () => {
  const output = new FakeOutput(new Deno.errors.BrokenPipe());
  await using writer = open(output);
  writer.write("lost\n");
  await writer.flush();
  writer.write("lost too\n");
  await writer.flush();
  assertEquals(output.writes, []);
});

Deno.test("LineWriter takes lines after it was disposed of, and drops them", async () => {
  const output = new FakeOutput();
  const writer = open(output);
  await writer[Symbol.asyncDispose]();
  writer.write("late\n");
  await writer.flush();
  // Longer than the timer that would write it.
  await delay(30);
  assertEquals(output.writes, []);
});
