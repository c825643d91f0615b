/**
 * A disk in memory that fails when told to, and forgets what a power cut would have made it forget.
 *
 * Every call that reaches for the disk is counted, and a script says what becomes of it. What was written and not
 * synced is kept apart, and `afterPowerCut` says how much of it survived: a real disk may have written all of it, none,
 * or any sectors in any order; likewise names whose folder was not synced.
 */
import { setImmediate } from "node:timers";
import type { Disk, DiskFile } from "../../../lib/store/file/disk.ts";
import { Inode, type Survival } from "./simulated_inode.ts";

/**
 * What the script makes of a call: `fail` it, at once, half-way (`tear`) or when it is done (`late`), or `cut` the
 * power half-way.
 */
export type Fault = "fail" | "tear" | "late" | "cut";

/** A call to the disk. */
export interface Call {
  /** From 0, over all calls. */
  readonly index: number;
  readonly kind: "create" | "open" | "write" | "sync" | "truncate" | "rename" | "remove" | "syncFolder";
  readonly name: string;
  /** Of a write, bytes from the start of the file. */
  readonly offset?: number;
}

export const survivals: readonly Survival[] = [
  "nothing",
  "everything",
  "odd-sectors",
  "even-sectors",
  "old-sizes",
  "names-only",
  "content-only",
  "last-write",
  "lost-write",
  "part-of-last-write",
];

/** A write, and how half of it is done. */
interface Half {
  readonly offset: number;
  readonly half: () => void;
}

export class SimulatedDisk implements Disk {
  readonly path = "simulated";
  readonly calls: Call[] = [];
  /** Says what becomes of each call; `undefined` is that it succeeds. */
  script: (call: Call) => Fault | undefined = () => undefined;
  /** The code of the error that a failing call throws; as in Deno, some errors have none. */
  errorCode: string | undefined = "EIO";
  /** Stands in its message. */
  errorText = "failed";
  #isOff = false;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();

  /** Whether the power was cut. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** The disk that the next start finds. */
  afterPowerCut(survival: Survival): SimulatedDisk {
    const keepsNames = survival !== "nothing" && survival !== "content-only";
    const disk = new SimulatedDisk();
    const copies = new Map<Inode, Inode>();
    for (const [name, inode] of keepsNames ? this.#names : this.#durableNames) {
      const copy = copies.get(inode) ?? inode.survivor(survival);
      copies.set(inode, copy);
      disk.#names.set(name, copy);
    }
    disk.#durableNames = new Map(disk.#names);
    return disk;
  }

  /** The content of a file, to look at and to change. */
  content(name: string): Uint8Array<ArrayBuffer> {
    return this.#inode(name).content;
  }

  setContent(name: string, content: Uint8Array<ArrayBuffer>): void {
    const inode = new Inode();
    inode.content = inode.durable = content;
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  /** Every file's content, as a copy. */
  files(): Map<string, Uint8Array<ArrayBuffer>> {
    return new Map(Array.from(this.#names, ([name, inode]) => [name, inode.content.slice()]));
  }

  lock(): Promise<Disposable> {
    return Promise.resolve({ [Symbol.dispose]: () => {} });
  }

  makePrivate(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  list(): string[] {
    return [...this.#names.keys()];
  }

  mayHave(name: string): boolean {
    return this.#names.has(name);
  }

  open(name: string): DiskFile {
    return this.#file(name, this.#inode(name));
  }

  openToWrite(name: string): DiskFile {
    this.#call("open", name, () => {});
    return this.open(name);
  }

  create(name: string): DiskFile {
    this.#call("create", name, () => this.#names.set(name, new Inode()));
    return this.open(name);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#async("rename", from, () => {
      this.#names.set(to, this.#inode(from));
      this.#names.delete(from);
    });
  }

  remove(name: string): Promise<void> {
    return this.#async("remove", name, () => {
      this.#inode(name);
      this.#names.delete(name);
    });
  }

  syncFolder(): Promise<void> {
    return this.#async("syncFolder", "", () => this.#durableNames = new Map(this.#names));
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new Deno.errors.NotFound(`No file "${name}"`);
    return inode;
  }

  #file(name: string, inode: Inode): DiskFile {
    return {
      path: `${this.path}/${name}`,
      size: () => inode.content.length,
      read(buffer, offset) {
        const bytes = inode.content.subarray(offset, offset + buffer.length);
        buffer.set(bytes);
        return bytes.length;
      },
      write: (bytes, offset) =>
        this.#async(
          "write",
          name,
          () => inode.apply({ offset, bytes: bytes.slice() }),
          { offset, half: () => inode.apply({ offset, bytes: bytes.slice(0, bytes.length >> 1) }) },
        ),
      sync: () => this.#async("sync", name, () => inode.sync()),
      truncate: (size) => this.#async("truncate", name, () => inode.apply({ size })),
      [Symbol.dispose]() {},
    };
  }

  async #async(kind: Call["kind"], name: string, whole: () => void, write?: Half): Promise<void> {
    // Later, as the real disk answers later: whoever does not wait for it is found out.
    await new Promise((resolve) => setImmediate(resolve));
    this.#call(kind, name, whole, write);
  }

  #call(kind: Call["kind"], name: string, whole: () => void, write?: Half): void {
    if (this.#isOff) throw new Error("The power is off");
    const call = { index: this.calls.length, kind, name, ...write && { offset: write.offset } };
    this.calls.push(call);
    const fault = this.script(call);
    if (fault === undefined) return whole();
    if (fault === "late") whole();
    else if (fault !== "fail") write?.half();
    if (fault === "cut") {
      this.#isOff = true;
      throw new Error("The power is off");
    }
    const error = new Error(`${kind} "${name}": ${this.errorText}`);
    throw this.errorCode === undefined ? error : Object.assign(error, { code: this.errorCode });
  }
}
