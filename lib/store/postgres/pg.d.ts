/** The types of what Gatehouse uses of the npm package `pg` 8, which ships no types. */

declare module "pg" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";

  /** A row by column name. */
  type Row = Readonly<Record<string, unknown>>;
  interface QueryResult {
    readonly rows: readonly Row[];
    /** How many rows the statement found or changed; `null` for statements such as `BEGIN`. */
    readonly rowCount: number | null;
    /** Such as `INSERT`; `ROLLBACK` for a `COMMIT` of a failed transaction. */
    readonly command: string;
  }
  interface Statement {
    /** The server prepares a statement with a name once a connection. */
    readonly name?: string | undefined;
    readonly text: string;
    readonly values?: readonly unknown[];
    /** In milliseconds. */
    readonly query_timeout?: number;
  }
  class Client extends EventEmitter {
    constructor(options: object);
    readonly connection: { readonly stream: Socket; attachListeners: (stream: Socket) => void };
    connect(callback: (error?: Error) => void): void;
    end(callback: () => void): void;
    query(statement: Statement | string, values?: readonly unknown[]): Promise<QueryResult>;
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
    readonly code?: string;
  }
  const types: { getTypeParser(typeId: number, format?: string): (text: string) => unknown };
  const pg: { Client: typeof Client; Pool: typeof Pool; DatabaseError: typeof DatabaseError; types: typeof types };

  export type { Pool, PoolClient, QueryResult, Row };
  export default pg;
}
