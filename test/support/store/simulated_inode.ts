/** A file of the simulated disk: what was written, what was synced, and what a power cut leaves of it. */

/** How much of what was not synced a power cut leaves. */
export type Survival =
  | "nothing"
  | "everything"
  /** Every second sector. */
  | "odd-sectors"
  | "even-sectors"
  /** What was written over old bytes, and none of what made a file longer. */
  | "old-sizes"
  | "names-only"
  | "content-only"
  /** Of each file the last write, and none before it: a disk may write in any order. */
  | "last-write"
  /** All but the write before the last of each file. */
  | "lost-write"
  /** All but the end of each file's last write. */
  | "part-of-last-write";

const sectorBytes = 512;

type Change = { readonly offset: number; readonly bytes: Uint8Array } | { readonly size: number };

/** A file without its name: what is durable, and what was done since. */
export class Inode {
  durable = new Uint8Array(0);
  content = new Uint8Array(0);
  pending: Change[] = [];

  apply(change: Change): void {
    this.content = changed(this.content, change);
    this.pending.push(change);
  }

  sync(): void {
    this.durable = this.content;
    this.pending = [];
  }

  survivor(survival: Survival): Inode {
    const inode = new Inode();
    inode.durable = this.pending.reduce((bytes, change, index) => {
      const isLast = index === this.pending.length - 1;
      if (survival === "lost-write") return index === this.pending.length - 2 ? bytes : changed(bytes, change);
      if (survival === "last-write") return isLast ? changed(bytes, change) : bytes;
      if (survival === "part-of-last-write") return changed(bytes, isLast ? partOf(change) : change);
      if (survival === "nothing" || survival === "names-only") return bytes;
      if (survival === "everything" || survival === "content-only" || "size" in change) {
        return changed(bytes, change);
      }
      if (survival === "old-sizes") return changed(bytes, change).subarray(0, bytes.length);
      return withSectors(bytes, change, survival === "odd-sectors" ? 1 : 0);
    }, this.durable);
    inode.content = inode.durable;
    return inode;
  }
}

function changed(bytes: Uint8Array, change: Change): Uint8Array<ArrayBuffer> {
  const size = "size" in change ? change.size : Math.max(bytes.length, change.offset + change.bytes.length);
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  if ("bytes" in change) result.set(change.bytes, change.offset);
  return result;
}

/** A write up to some place within a sector. What it writes over, a header of 16 bytes, is not torn apart. */
function partOf(change: Change): Change {
  return "size" in change
    ? change
    : { ...change, bytes: change.bytes.subarray(0, (change.bytes.length * 3 >> 2) & ~15) };
}

/** The size changes, and of the write's sectors every second is there. */
function withSectors(
  bytes: Uint8Array,
  change: { offset: number; bytes: Uint8Array },
  parity: number,
): Uint8Array<ArrayBuffer> {
  const whole = changed(bytes, change);
  const result = new Uint8Array(whole.length);
  result.set(bytes);
  for (let start = 0; start < whole.length; start += sectorBytes) {
    if ((start / sectorBytes) % 2 === parity) result.set(whole.subarray(start, start + sectorBytes), start);
  }
  return result;
}
