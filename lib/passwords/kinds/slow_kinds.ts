/** The kinds that run for long in JavaScript or WebAssembly: `hash_worker.ts` computes them. */

import type { HashKind } from "../hash_kind.ts";
import { bcryptKind } from "./bcrypt.ts";
import { md5Crypt } from "./md5_crypt.ts";
import { phpass } from "./phpass.ts";
import { sha256Crypt, sha512Crypt } from "./sha_crypt.ts";

export const slowKinds: readonly HashKind[] = [bcryptKind, sha512Crypt, sha256Crypt, phpass, md5Crypt];
