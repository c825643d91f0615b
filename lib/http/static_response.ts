/**
 * A reply that depends on nothing but the settings: made once, and not sent again to who has it.
 *
 * Anyone may ask for such pages as often as they like, so that making one must not be work for each request.
 */

import { eTag } from "@std/http/etag";
import type { Config } from "../config/config.ts";
import { ifNoneMatch } from "./entity_tag.ts";

/** What is sent, beside the headers that follow from it. */
export interface ConstantBody {
  readonly text: string;
  /** Content-Type among them. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Entity extends ConstantBody {
  readonly etag: string;
}

/** Makes the reply of each configuration when it is first asked for. */
export class StaticResponse {
  readonly #entities = new WeakMap<Config, Promise<Entity>>();
  readonly #make: (config: Config) => ConstantBody;

  constructor(make: (config: Config) => ConstantBody) {
    this.#make = make;
  }

  /** The reply to a request: 304 when its If-None-Match has it. */
  async to(request: Request, config: Config): Promise<Response> {
    const { text, headers, etag } = await this.#entityFor(config);
    // Asked for again each time, as another version of the service may say something else.
    const caching = { etag, "cache-control": "no-cache" };
    if (!ifNoneMatch(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers: caching });
    }
    return new Response(text, { headers: { ...headers, ...caching } });
  }

  #entityFor(config: Config): Promise<Entity> {
    const known = this.#entities.get(config);
    if (known !== undefined) return known;
    const body = this.#make(config);
    const entity = eTag(body.text).then((etag) => ({ ...body, etag }));
    this.#entities.set(config, entity);
    // A failure is that of the requests that wait for it, and not of all later ones.
    entity.catch(() => this.#entities.delete(config));
    return entity;
  }
}
