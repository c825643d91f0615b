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

interface Entity extends StaticBody {
  readonly etag: string;
}

/** Makes the response for each source when it is first requested. */
export class StaticResponse<Source extends object> {
  readonly #entities = new WeakMap<Source, Entity>();
  readonly #make: (source: Source) => StaticBody;

  constructor(make: (source: Source) => StaticBody) {
    this.#make = make;
  }

  /** Returns the response to a request, or 304 if its If-None-Match names the current version. */
  to(request: Request, source: Source): Response {
    const { content, headers, etag } = this.#entityFor(source);
    // Browsers revalidate each time, because another version of the service may differ.
    const caching = { etag, "cache-control": "no-cache" };
    if (!ifNoneMatch(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers: caching });
    }
    return new Response(content, { headers: { ...headers, ...caching } });
  }

  #entityFor(source: Source): Entity {
    const known = this.#entities.get(source);
    if (known !== undefined) return known;
    const body = this.#make(source);
    const entity = { ...body, etag: entityTagOf(body.content) };
    this.#entities.set(source, entity);
    return entity;
  }
}
