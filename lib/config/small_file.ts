/** Small files that settings name: values, passwords, a logo. */

const maxBytes = 64 * 1024;

/**
 * Reads a whole file. It must be regular, as a pipe would block the start, and small, as a wrong path may lead to
 * anything.
 *
 * @throws {RangeError} why it cannot be used, without its path, which may be a secret in the wrong place
 */
export function readSmallFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile) throw new RangeError("it is not a file");
    if (size > maxBytes) throw new RangeError(`it has ${size} bytes, at most ${maxBytes} are allowed`);
    return Deno.readFileSync(path);
  } catch (cause) {
    if (cause instanceof RangeError || !(cause instanceof Error)) throw cause;
    // Deno appends the path.
    const [reason = ""] = /^[^:]+\(os error \d+\)/.exec(cause.message) ?? ["the program may not read it"];
    throw new RangeError(reason, { cause });
  }
}

/** Reads a text file, without the line break at its end. @throws {RangeError} why it cannot be used */
export function readSmallText(path: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readSmallFile(path));
    if (text === "") throw new RangeError("it is empty");
    return text.replace(/\r?\n$/, "");
  } catch (cause) {
    if (cause instanceof TypeError) throw new RangeError("it is not UTF-8", { cause });
    throw cause;
  }
}
