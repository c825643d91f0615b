/** What WebCrypto derives, for tests of how much work a password takes. */

/**
 * The cost of each derivation while this is in use: iterations of PBKDF2, memory of Argon2.
 *
 * @param before runs before each of them
 */
export function spyOnDerive(
  before: () => Promise<void> = () => Promise.resolve(),
): Disposable & { readonly costs: number[] } {
  const { deriveBits } = crypto.subtle;
  const costs: number[] = [];
  crypto.subtle.deriveBits = async (algorithm, key, length) => {
    await before();
    const bits = await deriveBits.call(crypto.subtle, algorithm, key, length);
    costs.push(costOf(algorithm));
    return bits;
  };
  return {
    costs,
    [Symbol.dispose]: () => {
      crypto.subtle.deriveBits = deriveBits;
    },
  };
}

function costOf(algorithm: Parameters<SubtleCrypto["deriveBits"]>[0]): number {
  if (typeof algorithm !== "object") return 0;
  if ("iterations" in algorithm) return algorithm.iterations;
  return "memory" in algorithm && typeof algorithm.memory === "number" ? algorithm.memory : 0;
}
