/**
 * The logo of the page: a local SVG or PNG file. `readConfig` checks its name, `readLogo` reads the file once at start.
 *
 * The file is small because every visitor loads it, and of two types that browsers show as images without surprises.
 */

import { Buffer } from "node:buffer";
import { extname } from "node:path";
import { readSmallFile } from "./small_file.ts";

/** The path of the logo, and the media type that its name implies. */
export interface LogoLocation {
  readonly path: string;
  readonly type: "image/svg+xml" | "image/png";
}

/** A logo to serve. */
export interface Logo {
  readonly type: LogoLocation["type"];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const types: Readonly<Record<string, LogoLocation["type"]>> = { ".svg": "image/svg+xml", ".png": "image/png" };

/** Parses the path of a logo; an empty text, which only the default is, is no logo. @throws {RangeError} */
export function parseLogo(text: string): LogoLocation | undefined {
  if (text === "") return undefined;
  const type = types[extname(text).toLowerCase()];
  // deno-lint-ignore no-control-regex -- a line break or tab comes from a misread file of settings
  if (type === undefined || /[\0-\x1f\x7f]/.test(text)) throw new RangeError("use the path of an .svg or .png file");
  return Object.freeze({ path: text, type });
}

/** Reads the file. @throws {Error} naming it, if it cannot be read, is too large or is of another type */
export function readLogo({ path, type }: LogoLocation): Logo {
  try {
    const bytes = readSmallFile(path);
    if (!isOfType(bytes, type)) throw new RangeError(`it is not ${type === "image/png" ? "a PNG" : "an SVG"} file`);
    return Object.freeze({ type, bytes });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot read the logo ${JSON.stringify(path)} (GATEHOUSE_LOGO): ${reason}`, { cause });
  }
}

function isOfType(bytes: Uint8Array, type: LogoLocation["type"]): boolean {
  const text = Buffer.from(bytes).toString("latin1");
  // PNG, 5.2.
  return type === "image/png" ? text.startsWith("\x89PNG\r\n\x1a\n") : /<svg[\s>]/.test(text);
}
