/** The stack machine of pickles: what it makes of each opcode, and what stops hostile pickles. */

import { Buffer } from "node:buffer";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { ForeignFileError } from "../../../lib/import/foreign_format.ts";
import { readPickles } from "../../../lib/import/pickle.ts";
import { PickleFile } from "../../../lib/import/pickle_file.ts";
import { Bytes, Dict, Instance, Name, type PickleValue } from "../../../lib/import/pickle_value.ts";
import { foreignFile } from "../../support/foreign_users.ts";

const million = 1_000_000;

Deno.test("readPickles() makes the value of every opcode", () => {
  const object = new Instance("a.B", [1]);
  object.state = new Dict(["x", 2]);
  const rows: readonly [pickle: string, value: PickleValue][] = [
    ["N.", null],
    ["\x80\x05\x88.", true],
    ["\x89.", false],
    ["I01\n.", 1],
    ["I-12\n.", -12],
    ["L123456789012345678L\n.", 123456789012345680],
    ["J\xfe\xff\xff\xff.", -2],
    ["K\xff.", 255],
    ["M\x01\x02.", 513],
    ["\x8a\0.", 0],
    ["\x8a\x01\xff.", -1],
    ["\x8a\x02\xff\0.", 255],
    ["\x8b\x02\0\0\0\0\x80.", -32768],
    ["G\xbf\xf8\0\0\0\0\0\0.", -1.5],
    ["X\x02\0\0\0\xd1\x8f.", "я"],
    ["\x8c\x01a.", "a"],
    ["\x8d\x01\0\0\0\0\0\0\0a.", "a"],
    ["\x95\x02\0\0\0\0\0\0\0N.", null],
    ...["B\x01\0\0\0\xff.", "C\x01\xff.", "\x8e\x01\0\0\0\0\0\0\0\xff.", "\x96\x01\0\0\0\0\0\0\0\xff."].map(ofBytes),
    ...["T\x01\0\0\0\xff.", "U\x01\xff.", "c_codecs\nencode\nX\x02\0\0\0\xc3\xbfU\x06latin1\x86R."].map(ofBytes),
    ["].", []],
    [").", []],
    ["\x8f.", []],
    ["K\x01\x85.", [1]],
    ["K\x01K\x02\x86.", [1, 2]],
    ["K\x01K\x02K\x03\x87.", [1, 2, 3]],
    ["(K\x01K\x02t.", [1, 2]],
    ["(K\x01\x91.", [1]],
    ["]K\x01a(K\x02K\x03e.", [1, 2, 3]],
    ["\x8f(K\x01\x90.", [1]],
    ["}K\x01K\x02s(K\x03K\x04u.", new Dict([1, 2, 3, 4])],
    ["K\x01K\x020.", 1],
    ["K\x01(K\x021.", 1],
    ["K\x01(0.", 1],
    ["K\x012\x86.", [1, 1]],
    ["K\x07q\x05h\x05\x86.", [7, 7]],
    ["K\x07r\xff\xff\xff\xffj\xff\xff\xff\xff\x86.", [7, 7]],
    ["(K\x07\x94K\x08\x94h\x01h\x00t.", [7, 8, 8, 7]],
    ["cos\nsystem\n.", new Name("os.system")],
    ["\x8c\x02os\x8c\x06system\x93.", new Name("os.system")],
    ["ca\nB\nK\x01\x85\x81}\x8c\x01xK\x02sb.", object],
    ["ca\nB\nK\x01\x85}\x8c\x01xK\x02s\x92.", object],
    ["ca\nB\nK\x01\x85\x81N}\x8c\x01xK\x02s\x86b.", object],
    ["ca\nB\nK\x01\x85\x81\x8c\x01xK\x02s.", object],
    ["ccopy_reg\n_reconstructor\n(ca\nB\nc__builtin__\nobject\nNtR.", new Instance("a.B", [])],
    ["(cdatetime\ntimedelta\nK\x01o.", new Instance("datetime.timedelta", [1])],
    ["cbuiltins\nset\n]K\x01a\x85R.", [1]],
    ["cbuiltins\nset\n)R.", []],
    ["c__builtin__\nbytes\n)R.", new Bytes("")],
    ["ccollections\ndefaultdict\ncbuiltins\ndict\n\x85RK\x01K\x02s.", new Dict([1, 2])],
  ];
  for (const [pickle, value] of rows) assertEquals(whole(pickle), value, JSON.stringify(pickle));
});

Deno.test("readPickles() refuses a pickle that is cut or wrong, and says where", () => {
  const rows: readonly [pickle: string, reason: string][] = [
    ["", "at byte 0: it ends within a value: it is cut, or no pickle"],
    ["N", "at byte 1: it ends within a value"],
    ["\x8c\x05abc", "it ends within a value"],
    ["\x95\x03\0\0\0\0\0\0\0N.", "it ends within a frame: it is cut"],
    ["\x80\x06N.", "its protocol is above 5"],
    ["\x00", "at byte 1: 0 is not an opcode: it is damaged, or no pickle"],
    [
      "p0\n.",
      "the opcode PUT is of protocol 0, which is text: write it again with pickle.dump(users, file, protocol=4)",
    ],
    ["(ios\nsystem\n.", "the opcode INST is of protocol 0"],
    ["K\x01Q.", "the opcode BINPERSID stands for a value that is not in the file"],
    ["\x82\x01.", "the opcode EXT1 stands for"],
    ["\x97.", "the opcode NEXT_BUFFER stands for"],
    [".", "it ends with more or less than one value"],
    ["NN.", "it ends with more or less than one value"],
    ["N(.", "a value is missing"],
    ["0.", "a value is missing"],
    ["N\x86.", "a value is missing"],
    ["}(Nu.", "a value is missing"],
    ["t.", "a MARK is missing"],
    ["h\0.", "it refers to a value that it does not have"],
    ["q\0.", "a value is missing"],
    ["NNa.", "it appends to what is not a list"],
    ["NNNs.", "it sets items of what is not a dict"],
    ["NN\x81.", "it makes an object without a class"],
    ["N)R.", "it calls what is not a function"],
    ["cos\nsystem\nNR.", "it calls what is not a function"],
    ["N)\x93.", "it has a wrong name of a function or class"],
    [`c${"a".repeat(256)}\nb\n.`, "it has a line that is longer than 255 bytes"],
    ["cab", "it has a line that is longer"],
    ["I1e9\n.", "it has a wrong integer"],
    ["cbuiltins\nset\nN\x85R.", "it calls builtins.set"],
    ["c_codecs\nencode\nN\x85R.", "it calls _codecs.encode"],
    ["ccopyreg\n_reconstructor\nN\x85R.", "it calls copyreg._reconstructor"],
  ];
  for (const [pickle, reason] of rows) {
    assertThrows(() => whole(pickle), ForeignFileError, reason, JSON.stringify(pickle));
  }
});

Deno.test("readPickles() bounds lengths, depth, numbers of values and memory before it uses them", () => {
  const megabyte = (opcode: string) => `${opcode}\0\0\x10\0${"\xff".repeat(1_048_576)}`;
  const kept = (index: number) => `K\x01${megabyte("B")}q${String.fromCharCode(index)}s`;
  const gets = Array.from({ length: 46 }, (_, index) => `h${String.fromCharCode(index)}0`).join("");
  const manyKept = Array.from({ length: 46 }, (_, index) => kept(index)).join("");
  const rows: readonly [pickle: string, reason: string][] = [
    ["X\xff\xff\xff\xffabc.", "it has a value of 4294967295 bytes: at most 1048576"],
    [`\x8d${"\xff".repeat(8)}abc.`, "it has a value of 18446744073709552000 bytes"],
    [`\x8e${"\0".repeat(5)}\x01\0\0abc.`, "it has a value of 1099511627776 bytes"],
    [`\x95${"\xff".repeat(8)}N.`, "it ends within a frame"],
    ["\x8b\xff\xff\xff\xff\x01.", "it has an integer of 4294967295 bytes: at most 16 are read"],
    ["\x8a\x11.", "it has an integer of 17 bytes"],
    ["(".repeat(101) + ".", "at byte 101: it is nested deeper than 100 levels"],
    ["N".repeat(100_001) + ".", "there are more than 100000 values in a row"],
    [`(${"]".repeat(100_001)}t.`, "there are more than 100000 values in a row"],
    [`)${"\x85".repeat(2 * million)}.`, "its values take too much memory: write its users to several files"],
    [`(${megabyte("X").repeat(23)}t.`, "its values take too much memory"],
    [`}${manyKept}${gets}.`, "its values take too much memory"],
    [`}]q\x000${`h\0${megabyte("B")}a0K\x01Ns`.repeat(47)}.`, "its values take too much memory"],
    ["}.".repeat(million + 1), "it has more than 1000000 pickles"],
    // A hundred attributes for each of a hundred objects, by 7 bytes.
    [`(}(${"N".repeat(100)}uq\x000ca\nb\nq\x010${"h\x01)\x81h\0b".repeat(100)}t.`, "the same attributes too often"],
  ];
  for (const [pickle, reason] of rows) {
    assertThrows(() => whole(pickle), ForeignFileError, reason, JSON.stringify(pickle.slice(0, 20)));
  }
  const many = new Uint8Array(7 * 500_001);
  const view = new DataView(many.buffer);
  for (let index = 0; index < 500_001; index++) {
    many[7 * index] = 0x6a;
    view.setUint32(7 * index + 1, index, true);
    many.set([0x30, 0x4e], 7 * index + 5);
  }
  assertThrows(() => [...valuesOf(many)], ForeignFileError, "it refers to more than 500000 values again");
});

Deno.test("readPickles() refuses a file that is too large without reading it", async () => {
  const path = await Deno.makeTempFile();
  await Deno.truncate(path, 64 * 1024 * 1024 + 1);
  using file = await Deno.open(path);
  assertThrows(() => new PickleFile(file, path), ForeignFileError, "it has more than 67108864 bytes: write its users");
  await Deno.remove(path);
});

Deno.test("readPickles() keeps a value that is referred to a million times once, and ends in a cycle", () => {
  const before = Deno.memoryUsage().rss;
  let laughs = "]q\x00";
  for (let index = 0; index < 100; index++) {
    laughs += `](${`h${String.fromCharCode(index)}`.repeat(10)}eq${String.fromCharCode(index + 1)}`;
  }
  assertThrows(() => whole(`${laughs}.`), ForeignFileError, "it ends with more or less than one value");
  assert(Array.isArray(whole(`(${laughs}t.`)));
  const cycle = whole("]q\0h\0a.");
  assert(Array.isArray(cycle));
  assertEquals(cycle[0] === cycle, true);
  assertEquals((whole("(]q\0" + "h\0".repeat(90_000) + "t.") as PickleValue[]).length, 90_001);
  assertLess(Deno.memoryUsage().rss - before, 100_000_000);
});

Deno.test("readPickles() yields parts of the divided value, and whole values of others", () => {
  const parts = (pickle: string, divided: "dict" | "list") => [...valuesOf(latin1(pickle), divided)];
  assertEquals(parts("}K\x01K\x02s(K\x03K\x04u.", "dict"), [new Dict([1, 2]), new Dict([3, 4]), new Dict()]);
  assertEquals(parts("}K\x01K\x02s(K\x03K\x04u.", "list"), [new Dict([1, 2, 3, 4])]);
  assertEquals(parts("]K\x01a(K\x02K\x03e.", "list"), [[1], [2, 3], []]);
  assertEquals(parts("]K\x01a.", "dict"), [[1]]);
  assertEquals(parts("}K\x01}K\x02K\x03ss.N.", "dict"), [new Dict([1, new Dict([2, 3])]), new Dict(), null]);
});

Deno.test("readPickles() throws nothing but its own error, however a pickle is damaged", async () => {
  const pickles = await Promise.all(["1", "2", "4"].map(async (protocol) => {
    return await Deno.readFile(foreignFile(`pickles/users-protocol-${protocol}.pkl`));
  }));
  let seed = 1;
  const random = (limit: number) => (seed = seed * 48_271 % 2_147_483_647) % limit;
  let refused = 0;
  for (let round = 0; round < 600; round++) {
    const bytes = pickles[round % 3]?.slice() ?? new Uint8Array();
    for (let count = 1 + random(4); count > 0; count--) bytes[random(bytes.length)] = random(256);
    try {
      for (const value of valuesOf(bytes)) assert(value !== undefined);
    } catch (error) {
      if (!(error instanceof ForeignFileError)) throw error;
      refused++;
    }
  }
  assert(refused > 100, `${refused}`);
});

function ofBytes(pickle: string): [string, Bytes] {
  return [pickle, new Bytes("\xff")];
}

/** The value of a pickle, undivided. */
function whole(pickle: string): PickleValue | undefined {
  const value = [...valuesOf(latin1(pickle), "list")].at(-1);
  return Array.isArray(value) ? [...valuesOf(latin1(pickle), "dict")].at(-1) : value;
}

function* valuesOf(bytes: Uint8Array<ArrayBuffer>, divided: "dict" | "list" = "dict"): Generator<PickleValue> {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, bytes);
    using file = Deno.openSync(path);
    yield* readPickles(new PickleFile(file, path), divided);
  } finally {
    Deno.removeSync(path);
  }
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Buffer.from(text, "latin1");
}
