/** The store when the file descriptors run out, all taken by connections. */

import { assertEquals, assertMatch } from "@std/assert";
import { ensureProgram } from "../../../support/packages.ts";

/** Runs its arguments without the descriptors that other tests of this process hold, and a child gets. */
const alone = 'for fd in /proc/$$/fd/*; do fd=${fd##*/}; ((fd < 3)) || eval "exec $fd>&-"; done; exec "$@"';
const hasPrlimit = await ensureProgram("prlimit", "util-linux");

Deno.test({
  name: "a file store whose descriptors run out in a compaction takes changes, loses none, and compacts later",
  ignore: !hasPrlimit,
  async fn() {
    const program = `${import.meta.dirname}/../../../support/store/descriptor_program.ts`;
    const args = ["-c", alone, "bash", "prlimit", "--nofile=100:100", Deno.execPath(), "run", "-A", program];
    const { code, stdout, stderr } = await new Deno.Command("bash", { args }).output();
    const decoder = new TextDecoder();
    assertEquals(code, 0, decoder.decode(stderr));
    assertMatch(decoder.decode(stdout), /^\d\d calls\n$/);
  },
});
