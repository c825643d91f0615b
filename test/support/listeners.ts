/** Listeners of a signal, counted: one that is not given back makes each later one dearer, and keeps what it holds. */
export interface WatchedSignal {
  readonly signal: AbortSignal;
  /** How many were added so far. */
  readonly addedCount: number;
  /** How many of them are there now. */
  readonly openCount: number;
}

/** A signal that lives long, and its listeners. */
export function watchSignal(signal = new AbortController().signal): WatchedSignal {
  const open = new Set<unknown>();
  let addedCount = 0;
  const add = signal.addEventListener;
  const remove = signal.removeEventListener;
  signal.addEventListener = (...all: Parameters<typeof add>) => {
    addedCount++;
    open.add(all[1]);
    add.apply(signal, all);
  };
  signal.removeEventListener = (...all: Parameters<typeof remove>) => {
    open.delete(all[1]);
    remove.apply(signal, all);
  };
  return {
    signal,
    get addedCount() {
      return addedCount;
    },
    get openCount() {
      return open.size;
    },
  };
}
