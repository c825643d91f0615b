/** The table of the file formats that users are imported from. */

import { authelia } from "./authelia.ts";
import { csv } from "./csv.ts";
import { django } from "./django.ts";
import type { ForeignFormat } from "./foreign_format.ts";
import { htpasswd } from "./htpasswd.ts";
import { jsonl } from "./jsonl.ts";
import { keycloak } from "./keycloak.ts";
import { ldif } from "./ldif.ts";
import { shadow } from "./shadow.ts";
import { werkzeugPickle } from "./werkzeug_pickle.ts";

export const formats: readonly ForeignFormat[] = [
  jsonl,
  csv,
  htpasswd,
  django,
  werkzeugPickle,
  authelia,
  keycloak,
  shadow,
  ldif,
];
