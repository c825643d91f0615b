/** The opcodes of pickles, protocols 1 to 5, as Lib/pickletools.py of Python documents them. */

import type { PickleFile } from "./pickle_file.ts";
import type { PickleMachine } from "./pickle_machine.ts";
import type { PickleValue } from "./pickle_value.ts";

const maxProtocol = 5;
/** Of an integer: a date in microseconds has 7. */
const maxIntegerBytes = 16;
const integerPattern = /^(-?\d{1,38})L?$/;

/** STOP: the end of a pickle. */
export const stop = ".".charCodeAt(0);
/** BINGET and LONG_BINGET, with the number of a remembered value. */
export const gets: readonly number[] = ["h", "j"].map((character) => character.charCodeAt(0));

/** An opcode. */
export interface Operation {
  /** Reads what follows it. */
  readonly read: (file: PickleFile) => unknown;
  /** Reads what follows it, and does its work. */
  readonly run: (machine: PickleMachine) => void;
}

/** By opcode. */
export const operations: readonly (Operation | undefined)[] = byOpcode<Operation>({
  // The format: PROTO, FRAME.
  0x80: row(protocol, () => {}),
  0x95: row(frame, () => {}),
  // The stack and the memo: MARK, POP, POP_MARK, DUP, BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET.
  "(": row(nothing, (machine) => machine.mark()),
  "0": row(nothing, (machine) => machine.drop()),
  "1": row(nothing, (machine) => machine.popMark()),
  "2": row(nothing, (machine) => machine.push(machine.top())),
  "q": row(uint(1), (machine, index) => machine.remember(index)),
  "r": row(uint(4), (machine, index) => machine.remember(index)),
  0x94: row(nothing, (machine) => machine.rememberNext()),
  "h": row(uint(1), (machine, index) => machine.recall(index)),
  "j": row(uint(4), (machine, index) => machine.recall(index)),
  // Constants and numbers: NONE, NEWTRUE, NEWFALSE, INT, LONG, BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT.
  "N": row(nothing, (machine) => machine.push(null)),
  0x88: row(nothing, (machine) => machine.push(true)),
  0x89: row(nothing, (machine) => machine.push(false)),
  "I": row(decimal, (machine, value) => machine.pushNumber(value)),
  "L": row(decimal, (machine, value) => machine.pushNumber(value)),
  "J": row((file) => file.bytes(4).readInt32LE(), (machine, value) => machine.pushNumber(value)),
  "K": row(uint(1), (machine, value) => machine.pushNumber(value)),
  "M": row(uint(2), (machine, value) => machine.pushNumber(value)),
  0x8a: row(integer(1), (machine, value) => machine.pushNumber(value)),
  0x8b: row(integer(4), (machine, value) => machine.pushNumber(value)),
  "G": row((file) => file.bytes(8).readDoubleBE(), (machine, value) => machine.pushNumber(value)),
  // Texts: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8.
  "X": row(sized(4), (machine, bytes) => machine.pushText(bytes)),
  0x8c: row(sized(1), (machine, bytes) => machine.pushText(bytes)),
  0x8d: row(sized(8), (machine, bytes) => machine.pushText(bytes)),
  // Bytes: BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8; texts of Python 2: BINSTRING, SHORT_BINSTRING.
  "B": row(sized(4), (machine, bytes) => machine.pushBytes(bytes)),
  "C": row(sized(1), (machine, bytes) => machine.pushBytes(bytes)),
  0x8e: row(sized(8), (machine, bytes) => machine.pushBytes(bytes)),
  0x96: row(sized(8), (machine, bytes) => machine.pushBytes(bytes)),
  "T": row(sized(4), (machine, bytes) => machine.pushBytes(bytes)),
  "U": row(sized(1), (machine, bytes) => machine.pushBytes(bytes)),
  // Lists, tuples and sets: EMPTY_LIST, EMPTY_TUPLE, EMPTY_SET, TUPLE1, TUPLE2, TUPLE3, TUPLE, FROZENSET.
  "]": row(nothing, (machine) => machine.pushArray([])),
  ")": row(nothing, (machine) => machine.pushArray([])),
  0x8f: row(nothing, (machine) => machine.pushArray([])),
  0x85: row(nothing, (machine) => machine.pushArray(machine.popLast(1))),
  0x86: row(nothing, (machine) => machine.pushArray(machine.popLast(2))),
  0x87: row(nothing, (machine) => machine.pushArray(machine.popLast(3))),
  "t": row(nothing, (machine) => machine.pushArray(machine.popMark())),
  0x91: row(nothing, (machine) => machine.pushArray(machine.popMark())),
  // Their items: APPEND, APPENDS, ADDITEMS.
  "a": row(nothing, (machine) => machine.append(machine.popLast(1))),
  "e": row(nothing, (machine) => machine.append(machine.popMark())),
  0x90: row(nothing, (machine) => machine.append(machine.popMark())),
  // Dicts: EMPTY_DICT, SETITEM, SETITEMS.
  "}": row(nothing, (machine) => machine.pushDict()),
  "s": row(nothing, (machine) => machine.setItems(machine.popLast(2))),
  "u": row(nothing, (machine) => machine.setItems(machine.popMark())),
  // Names, calls and objects: GLOBAL, STACK_GLOBAL, REDUCE, OBJ, NEWOBJ, NEWOBJ_EX, BUILD.
  "c": row((file) => [file.line(), file.line()], (machine, parts) => machine.pushName(parts)),
  0x93: row(nothing, (machine) => machine.pushName(machine.popLast(2))),
  "R": row(nothing, (machine) => machine.call(machine.popLast(2))),
  "o": row(nothing, (machine) => callItems(machine, machine.popMark())),
  0x81: row(nothing, (machine) => machine.create(machine.popLast(2))),
  0x92: row(nothing, (machine) => createWithKeywords(machine, machine.popLast(3))),
  "b": row(nothing, (machine) => machine.build(machine.pop())),
});

/** Opcodes of protocol 0. */
const textOpcodes = byOpcode<string>({
  "p": "PUT",
  "g": "GET",
  "F": "FLOAT",
  "S": "STRING",
  "V": "UNICODE",
  "l": "LIST",
  "d": "DICT",
  "i": "INST",
  "P": "PERSID",
});

/** Opcodes for values that are not in the file. */
const outsideOpcodes = byOpcode<string>({
  "Q": "BINPERSID",
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
  0x97: "NEXT_BUFFER",
  0x98: "READONLY_BUFFER",
});

/** Why there is no operation for an opcode. */
export function reasonAgainst(opcode: number): string {
  const [text, outside] = [textOpcodes[opcode], outsideOpcodes[opcode]];
  const remedy = "write it again with pickle.dump(users, file, protocol=4)";
  if (text !== undefined) return `the opcode ${text} is of protocol 0, which is text: ${remedy}`;
  if (outside !== undefined) return `the opcode ${outside} stands for a value that is not in the file`;
  return `${opcode} is not an opcode: it is damaged, or no pickle`;
}

function row<Operand>(
  read: (file: PickleFile) => Operand,
  run: (machine: PickleMachine, operand: Operand) => void,
): Operation {
  return { read, run: (machine) => run(machine, read(machine.file)) };
}

/** A table by number from one by character or number. */
function byOpcode<Value>(table: Readonly<Record<string, Value>>): readonly (Value | undefined)[] {
  const values = new Array<Value | undefined>(256).fill(undefined);
  for (const [key, value] of Object.entries(table)) values[key.length === 1 ? key.charCodeAt(0) : Number(key)] = value;
  return values;
}

function nothing(): void {}

function protocol(file: PickleFile): void {
  if (file.byte() > maxProtocol) file.fail(`its protocol is above ${maxProtocol}`);
}

/** Frames only help to read ahead, so nothing but their end is looked at. */
function frame(file: PickleFile): void {
  if (file.uint(8) > file.rest) file.fail("it ends within a frame: it is cut");
}

function uint(byteCount: 1 | 2 | 4) {
  return (file: PickleFile) => file.uint(byteCount);
}

/** Bytes after their number. */
function sized(byteCount: 1 | 4 | 8) {
  return (file: PickleFile) => file.bytes(file.uint(byteCount));
}

/** An integer as a line; 00 and 01 are false and true. */
function decimal(file: PickleFile): number {
  const [, digits] = integerPattern.exec(file.line()) ?? [];
  return digits === undefined ? file.fail("it has a wrong integer") : Number(digits);
}

/** An integer in two's complement after the number of its bytes, the lowest first. */
function integer(byteCount: 1 | 4) {
  return (file: PickleFile) => {
    const count = file.uint(byteCount);
    if (count > maxIntegerBytes) file.fail(`it has an integer of ${count} bytes: at most ${maxIntegerBytes} are read`);
    const hex = file.bytes(count).toReversed().toHex();
    return count === 0 ? 0 : Number(BigInt.asIntN(8 * count, BigInt(`0x${hex}`)));
  };
}

function callItems(machine: PickleMachine, [callee = null, ...args]: readonly PickleValue[]): void {
  machine.call([callee, args]);
}

/** The keywords become attributes. */
function createWithKeywords(machine: PickleMachine, [type = null, args = null, keywords = null]: PickleValue[]): void {
  machine.create([type, args]);
  machine.build(keywords);
}
