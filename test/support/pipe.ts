/** Named pipes, for what happens when nobody reads. On Linux alone: elsewhere, opening one waits for its other end. */
import { assert } from "@std/assert";

/** A pipe, and the file that reads it. */
export interface NamedPipe {
  readonly path: string;
  /** Keeps the pipe open; nothing is read from it until somebody does. */
  readonly file: Deno.FsFile;
}

/** Makes a pipe in `folder`. */
export async function openPipe(folder: string): Promise<NamedPipe> {
  const path = `${folder}/pipe`;
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert(success);
  return { path, file: await Deno.open(path, { read: true, write: true }) };
}

/** Writes to the pipe until it takes no more. */
export async function fillPipe(path: string): Promise<void> {
  const args = ["if=/dev/zero", `of=${path}`, "oflag=nonblock", "bs=1", "count=1000000"];
  await new Deno.Command("dd", { args, stderr: "null" }).output();
}
