/**
 * A response that depends only on an object that lives as long as the process, such as the app or its settings.
 *
 * Anyone may request such pages as often as they like, so each is made once. Clients that have it get a 304.
 */

import { entityTagOf, ifNoneMatch } from "./entity_tag.ts";

/** A body, and its headers except those of caching. */
export interface StaticBody {
  readonly content: string | Uint8Array<ArrayBuffer>;
  /** With Content-Type. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns a function that responds with what `make` makes of a source, or 304 if If-None-Match names that version. */
export function staticResponse<Source extends object>(
  make: (source: Source) => StaticBody,
): (request: Request, source: Source) => Response {
  const entities = new WeakMap<Source, StaticBody & { readonly etag: string }>();
  const entityOf = (source: Source) => {
    const body = make(source);
    const entity = { ...body, etag: entityTagOf(body.content) };
    entities.set(source, entity);
    return entity;
  };
  return (request, source) => {
    const { content, headers, etag } = entities.get(source) ?? entityOf(source);
    // Browsers revalidate each time, because another version of the service may differ.
    const caching = { etag, "cache-control": "no-cache" };
    const isNew = ifNoneMatch(request.headers.get("if-none-match"), etag);
    return isNew
      ? new Response(content, { headers: { ...headers, ...caching } })
      : new Response(null, { status: 304, headers: caching });
  };
}
