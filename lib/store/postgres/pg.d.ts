/** The types of what Gatehouse uses of the npm package `pg` 8, which ships no types. */

declare module "pg" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";

  interface QueryResult {
    readonly rows: readonly Readonly<Record<string, unknown>>[];
    /** `null` for a statement without a count, such as `BEGIN`. */
    readonly rowCount: number | null;
    readonly command: string;
  }
  class Client extends EventEmitter {
    readonly connection: { readonly stream: Duplex };
    connect(callback: (error?: Error) => void): void;
    query(text: string, values?: readonly unknown[]): Promise<QueryResult>;
  }
  interface PoolClient extends Client {
    release(destroy?: boolean): void;
  }
  class Pool extends EventEmitter {
    constructor(options: object);
    connect(): Promise<PoolClient>;
    query(text: string, values?: readonly unknown[]): Promise<QueryResult>;
    end(): Promise<void>;
  }
  class DatabaseError extends Error {
    readonly code: string;
  }
  const types: { getTypeParser(typeId: number, format?: string): (text: string) => unknown };
  const pg: { Client: typeof Client; Pool: typeof Pool; DatabaseError: typeof DatabaseError; types: typeof types };

  export type { Pool, PoolClient };
  export default pg;
}
