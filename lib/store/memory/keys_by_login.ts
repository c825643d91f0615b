/** The keys of each user's records of one kind. */
export class KeysByLogin {
  /** A single key is stored as it is, as most users have one session and a `Set` takes 200 bytes. */
  readonly #keys = new Map<string, string | Set<string>>();

  of(login: string): readonly string[] {
    const keys = this.#keys.get(login) ?? [];
    return typeof keys === "string" ? [keys] : Array.from(keys);
  }

  add(login: string, key: string): void {
    const keys = this.#keys.get(login) ?? key;
    if (typeof keys !== "string") keys.add(key);
    else this.#keys.set(login, keys === key ? key : new Set([keys, key]));
  }

  /** @param login `undefined` if there is no such record */
  delete(login: string | undefined, key: string): void {
    const keys = login === undefined ? undefined : this.#keys.get(login);
    if (login === undefined || keys === undefined) return;
    if (typeof keys === "object") keys.delete(key);
    if (typeof keys === "string" || keys.size === 0) this.#keys.delete(login);
  }
}
