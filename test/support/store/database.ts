/** Opening a database, as tests do. */
import type { PostgresAddress } from "../../../lib/config/postgres_address.ts";
import { createLog } from "../../../lib/log.ts";
import type { PoolLimits } from "../../../lib/store/postgres/servers.ts";
import { Database } from "../../../lib/store/postgres/database.ts";

const log = createLog(() => {});

/** Opens a database without a log. */
export function open(address: PostgresAddress, limits: PoolLimits = {}): Promise<Database> {
  return Database.open(address, { log, waitMs: 0, ...limits });
}
