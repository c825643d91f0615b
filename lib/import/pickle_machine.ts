/**
 * The stack machine of pickles. `pickle.ts` has its opcodes.
 *
 * A small pickle can ask for much, so every depth and number of values is bounded, and memory is counted, before it is
 * used. A value that is referred to a million times is kept once, and nothing here follows references: neither cycles
 * nor "a billion laughs" cost anything.
 */

import type { Buffer } from "node:buffer";
import type { PickleFile } from "./pickle_file.ts";
import { Bytes, callByName, Dict, Instance, Name, type PickleValue } from "./pickle_value.ts";

/** Estimated memory of the values at one time: 1,000 users of Werkzeug take 1 MB. */
const maxMemoryBytes = 48_000_000;
/** Open MARKs: one for each level of a value. */
const maxDepth = 100;
/** Values that are not yet in another: Python writes 1,000 items of a list or dict at once, and all of a tuple. */
const maxStack = 100_000;

/** Sizes in V8; an item with the reserve of an array that grows. */
const [objectBytes, arrayBytes, itemBytes, memoBytes] = [32, 48, 16, 80];

const namePattern = /^[\p{L}\p{N}_.]{1,255}$/u;

/** The outermost values whose items leave in parts: a dict of records must not be divided where it can be a record. */
export type Divided = "dict" | "list";

/** A stack of values, and a memo of those that the pickle refers to again. */
export class PickleMachine {
  readonly file: PickleFile;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack. */
  readonly #marks: number[] = [];
  /** Values that the pickle refers to again, by number. */
  readonly #memo = new Map<number, PickleValue>();
  readonly #recalled: ReadonlySet<number>;
  #nextIndex = 0;
  /** The lists, dicts and objects among them, which can still grow. */
  readonly #keptContainers = new Set<PickleValue>();
  #freeBytes = maxMemoryBytes;
  /** After the last part. */
  #partFreeBytes = maxMemoryBytes;
  /** Since the last part, in texts of the memo. */
  #keptBytes = 0;
  /** Whether a container of the memo has grown since the last part. */
  #hasKeptMore = false;
  #hasNewItems = false;
  /** Keys and values that objects were given as their attributes. */
  #attributeCount = 0;

  constructor(file: PickleFile, recalled: ReadonlySet<number>) {
    this.file = file;
    this.#recalled = recalled;
  }

  /** @param reason a clause with "it" @throws {ForeignFileError} always */
  fail(reason: string): never {
    return this.file.fail(reason);
  }

  /** @param bytes how much memory the value takes */
  push(value: PickleValue, bytes = 0): void {
    this.#spend(bytes);
    if (this.#stack.length === maxStack) this.fail(`there are more than ${maxStack} values in a row`);
    this.#stack.push(value);
  }

  /** Takes the items of the outermost value, if it has this type and is the only value now. */
  takePart(divided: Divided): PickleValue | undefined {
    if (!this.#hasNewItems) return undefined;
    this.#hasNewItems = false;
    const [root] = this.#stack;
    const items = divided === "list" ? root : root instanceof Dict ? root.entries : undefined;
    if (this.#stack.length !== 1 || this.#marks.length > 0 || !Array.isArray(items)) return undefined;
    if (!this.#hasKeptMore) this.#freeBytes = this.#partFreeBytes - this.#keptBytes;
    [this.#partFreeBytes, this.#keptBytes, this.#hasKeptMore] = [this.#freeBytes, 0, false];
    return divided === "list" ? items.splice(0) : new Dict(items.splice(0));
  }

  /** The value of the whole pickle, or what is left of it. */
  result(): PickleValue {
    return this.#stack.length === 1 ? this.pop() : this.fail("it ends with more or less than one value");
  }

  pop(): PickleValue {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    return value === undefined ? this.fail("a value is missing") : value;
  }

  /** The last values, in the order of the stack. */
  popLast(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  /** POP, which Python also uses to drop a mark. */
  drop(): void {
    if (this.#stack.length === this.#marks.at(-1)) this.popMark();
    else this.pop();
  }

  /** The last value, which stays. */
  top(): PickleValue {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    if (this.#marks.push(this.#stack.length) > maxDepth) this.fail(`it is nested deeper than ${maxDepth} levels`);
  }

  /** The values since the last mark. */
  popMark(): PickleValue[] {
    const height = this.#marks.pop();
    return height === undefined ? this.fail("a MARK is missing") : this.#stack.splice(height);
  }

  pushNumber(value: number): void {
    this.push(value, objectBytes);
  }

  pushDict(): void {
    this.push(new Dict(), objectBytes + arrayBytes);
  }

  pushArray(items: PickleValue[]): void {
    this.push(items, arrayBytes + items.length * itemBytes);
  }

  pushText(bytes: Buffer): void {
    const text = bytes.toString("utf8");
    // V8 takes two bytes for each character if one of them is not Latin-1.
    this.push(text, objectBytes + 2 * text.length);
  }

  pushBytes(bytes: Buffer): void {
    this.push(new Bytes(bytes.toString("latin1")), 2 * objectBytes + bytes.length);
  }

  /** @param parts the module and the name in it */
  pushName(parts: readonly PickleValue[]): void {
    const text = parts.every((part) => typeof part === "string") ? parts.join(".") : "";
    if (!namePattern.test(text)) this.fail("it has a wrong name of a function or class");
    this.push(new Name(text), 2 * objectBytes + text.length);
  }

  /** Keeps the last value under a number, if the pickle refers to it again. */
  remember(index: number): void {
    this.#nextIndex = Math.max(this.#nextIndex, index + 1);
    if (!this.#recalled.has(index)) return void this.top();
    const value = this.top();
    const length = typeof value === "string" ? 2 * value.length : value instanceof Bytes ? value.latin1.length : 0;
    const bytes = memoBytes + objectBytes + length;
    this.#spend(bytes);
    this.#keptBytes += bytes;
    this.#memo.set(index, value);
    if (!Array.isArray(value) && !(value instanceof Dict) && !(value instanceof Instance)) return;
    this.#keptContainers.add(value);
    this.#hasKeptMore = true;
  }

  /** Under the number that follows those so far. */
  rememberNext(): void {
    this.remember(this.#nextIndex);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    this.push(value === undefined ? this.fail("it refers to a value that it does not have") : value);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) return this.fail("it appends to what is not a list");
    this.#grow(list, items.length);
    for (const item of items) list.push(item);
  }

  setItems(entries: readonly PickleValue[]): void {
    const target = this.top();
    if (entries.length % 2 === 1) this.fail("a value is missing");
    this.#addEntries(target, entries);
  }

  /** Calls the function with the array of arguments. */
  call([callee, args]: readonly PickleValue[]): void {
    if (!(callee instanceof Name) || !Array.isArray(args)) return this.fail("it calls what is not a function");
    const value = callByName(callee.text, args);
    if (value !== undefined) return this.push(value, 2 * objectBytes + arrayBytes);
    this.fail(
      `it calls ${callee.text}, which plain data does not. Gatehouse runs nothing, Python would: if the file is not ` +
        "yours, do not open it there; if it is, write its users as dicts of texts and dates",
    );
  }

  create([type, args]: readonly PickleValue[]): void {
    if (!(type instanceof Name) || !Array.isArray(args)) return this.fail("it makes an object without a class");
    this.push(new Instance(type.text, args), 2 * objectBytes);
  }

  /** Gives an object its attributes: a dict, or for slots a tuple of two. */
  build(state: PickleValue): void {
    const target = this.top();
    for (const part of Array.isArray(state) && state.length === 2 ? state : [state]) {
      if (!(target instanceof Instance) || !(part instanceof Dict)) continue;
      this.#attributeCount += part.entries.length;
      // Each took a byte of the file at least, unless a large dict is given to object after object.
      if (this.#attributeCount > this.file.position) this.fail("objects have the same attributes too often");
      this.#addEntries(target, part.entries);
    }
  }

  #addEntries(target: PickleValue, entries: readonly PickleValue[]): void {
    if (target instanceof Instance) target.state ??= new Dict();
    const dict = target instanceof Instance ? target.state : target;
    if (!(dict instanceof Dict)) return this.fail("it sets items of what is not a dict");
    this.#grow(target, entries.length);
    for (const entry of entries) dict.entries.push(entry);
  }

  #grow(container: PickleValue, itemCount: number): void {
    this.#spend(objectBytes + arrayBytes + itemCount * itemBytes);
    this.#hasNewItems = true;
    this.#hasKeptMore ||= this.#keptContainers.has(container);
  }

  #spend(bytes: number): void {
    this.#freeBytes -= bytes;
    if (this.#freeBytes < 0) this.fail("its values take too much memory: write its users to several files");
  }
}
