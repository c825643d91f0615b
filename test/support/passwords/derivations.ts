/** What WebCrypto derives, for tests of how much work a password takes. */

/** The iterations of each derivation while this is in use. @param before runs before each of them */
export function spyOnDerive(
  before: () => Promise<void> = () => Promise.resolve(),
): Disposable & { readonly costs: number[] } {
  const { deriveBits } = crypto.subtle;
  const costs: number[] = [];
  crypto.subtle.deriveBits = async (algorithm, key, length) => {
    await before();
    const bits = await deriveBits.call(crypto.subtle, algorithm, key, length);
    costs.push(typeof algorithm === "object" && "iterations" in algorithm ? algorithm.iterations : 0);
    return bits;
  };
  return {
    costs,
    [Symbol.dispose]: () => {
      crypto.subtle.deriveBits = deriveBits;
    },
  };
}
