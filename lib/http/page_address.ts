/** Addresses of the page: of a guarded host, and of a home, where users log in for several of them. */

/** Where `caddy/guarded.Caddyfile` mounts the service on a guarded host. */
export const mount = "/auth/";

/** What the page is opened for. Absent parameters are `undefined`. */
export interface PageParameters {
  /** The path to go to after a login. */
  readonly next?: string | undefined;
  /** What `next` needs. */
  readonly need?: string | undefined;
  readonly why?: "ended" | undefined;
  /** The origin of the site that has `next`, if it is another. */
  readonly site?: string | undefined;
  /** What the site gave the browser, and gets back. */
  readonly state?: string | undefined;
  readonly code?: string | undefined;
}

/** Returns the address of a page that leads to `next`. @param page by default that of the guarded host itself */
export function pageAddress(parameters: PageParameters, page = mount): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const query = given.map(([name, value = ""]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return query === "" ? page : `${page}?${query}`;
}

/** Returns the address of the page that logs out, and in again for a page of this host. It asks before. */
export function otherAccountAddress(path: string, page = mount): string {
  return `${page}#switch=${encodeURIComponent(path)}`;
}
