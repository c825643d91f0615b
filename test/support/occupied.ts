/** A hasher that is busy for as long as a test wants. */
import type { Hasher } from "../../lib/passwords/hasher.ts";

/** Has a hash run until it is told to leave. */
export function occupy(hasher: Hasher): Disposable & { leave(): Promise<void> } {
  const { deriveBits } = crypto.subtle;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  crypto.subtle.deriveBits = async (...options: Parameters<SubtleCrypto["deriveBits"]>) => {
    await released;
    return await deriveBits.apply(crypto.subtle, options);
  };
  const hashed = hasher.hash("in the way", { client: "192.0.2.200" });
  return {
    leave: async () => {
      release();
      await hashed;
    },
    [Symbol.dispose]: () => {
      release();
      crypto.subtle.deriveBits = deriveBits;
    },
  };
}
