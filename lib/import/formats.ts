/** The table of the file formats that users are imported from. */

import type { ForeignFormat } from "./foreign_format.ts";
import { jsonl } from "./jsonl.ts";

export const formats: readonly ForeignFormat[] = [jsonl];
