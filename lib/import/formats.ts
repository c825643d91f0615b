/** The table of the file formats that users are imported from. */

import type { ForeignFormat } from "./foreign_format.ts";
import { django } from "./django.ts";
import { jsonl } from "./jsonl.ts";
import { keycloak } from "./keycloak.ts";

export const formats: readonly ForeignFormat[] = [jsonl, django, keycloak];
