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
    constructor(options: object);
    /** Takes no callback, and then returns a promise, where tests use it. */
    connect(callback: (error?: Error) => void): void;
    query(text: string, values?: readonly unknown[]): Promise<QueryResult>;
    end(): Promise<void>;
    /** Of the protocol. */
    readonly connection: { readonly stream: Duplex };
  }

  /** A connected client that a pool has lent. */
  interface PoolClient extends Client {
    release(destroy?: boolean): void;
  }

  class Pool extends EventEmitter {
    constructor(options: object);
    connect(): Promise<PoolClient>;
    query(text: string, values?: readonly unknown[]): Promise<QueryResult>;
    end(): Promise<void>;
  }

  /** An error that the server sent. */
  class DatabaseError extends Error {
    readonly code: string;
  }

  type Parser = (text: string) => unknown;
  const types: { getTypeParser(typeId: number, format?: string): Parser };

  export type { Pool, PoolClient, QueryResult };
  const pg: {
    readonly Client: typeof Client;
    readonly Pool: typeof Pool;
    readonly DatabaseError: typeof DatabaseError;
    readonly types: typeof types;
  };
  export default pg;
}
