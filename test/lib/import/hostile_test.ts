/** Every format with files that are damaged at random: records, refusals, or one error with the file's name. */

import { assert } from "@std/assert";
import { ForeignFileError, type ForeignFormat } from "../../../lib/import/foreign_format.ts";
import { formats } from "../../../lib/import/formats.ts";
import { mapUser } from "../../../lib/import/map_user.ts";
import { readForeign } from "../../support/foreign_users.ts";
import { nativeHash } from "../../support/import.ts";

const roundCount = 150;
/** What a reader may take for more than a letter. */
const signs = [0x00, 0x0a, 0x0d, 0x20, 0x22, 0x23, 0x2c, 0x3a, 0x5b, 0x5c, 0x7b, 0x7d, 0x80, 0xc3, 0xef, 0xff];
const seeds: readonly string[] = [
  `{"login":"alice","password_hash":"${nativeHash}","registered_at":"2024-05-01T12:00:00Z","groups":["a"],"id":null}\n`,
  `login,password_hash,groups\r\nalice,"${nativeHash}","a, b"\r\n"bo""b",x,\r\n`,
  `# comment\nalice:${nativeHash}:19000:0:99999:7:::\nbob:!${nativeHash}:19000:0:99999:7::20000:\n`,
  `version: 1\n\ndn: uid=alice,dc=x\nuid: alice\nuserPassword:: ${btoa(nativeHash)}\nmemberOf: cn=a\\2Cb,dc=x\n x\n\n`,
  `[{"model":"auth.user","fields":{"username":"alice","password":"${nativeHash}","groups":[]}}]`,
  `users:\n  alice:\n    password: "${nativeHash}"\n    groups:\n      - a\n`,
];

Deno.test("every format reads damaged files to the end, or rejects them by name", async () => {
  let seed = 1;
  // A linear congruential generator: the same files in every run.
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < roundCount; round++) {
    const bytes = new TextEncoder().encode((seeds[round % seeds.length] ?? "").repeat(1 + random(3)));
    for (let count = random(8); count >= 0; count--) bytes[random(bytes.length)] = signs[random(signs.length)] ?? 0;
    const content = bytes.slice(0, random(4) === 0 ? random(bytes.length) : bytes.length);
    for (const format of formats) await tryToRead(format, content);
  }
});

async function tryToRead(format: ForeignFormat, content: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    let last = 0;
    for (const record of await readForeign(format, { content })) {
      assert(record.line > 0 && record.line >= last, `${format.name}: ${record.line} after ${last}`);
      last = record.line;
      const mapped = "reason" in record ? record : mapUser(record, { rename: (login) => login, modifiedAt: 0 });
      if ("reason" in mapped) assert(mapped.reason.length < 1_000 && !mapped.reason.includes(nativeHash));
    }
  } catch (error) {
    assert(error instanceof ForeignFileError, `${format.name}: ${error instanceof Error ? error.stack : error}`);
  }
}
