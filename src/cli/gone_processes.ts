/**
 * What processes held that were killed: theirs no more, where one can know that they are gone.
 *
 * @module
 */
import { listHolders, releaseHolders } from "../archive/processes/holders.ts";
import type { BrotrConfig } from "../core/config/brotr_config.ts";
import type { Database } from "../core/database/connection/database.ts";
import { serverAddress } from "../core/database/connection/server_address.ts";
import { goneHolders } from "../core/lifecycle/holder.ts";
import type { Logger } from "../core/log/logger.ts";

/**
 * Frees the leases and claims of processes that are gone: on a server those that ran on this machine since it was
 * started, on the embedded database, which nobody uses from elsewhere, also those from before. What others held is free
 * when its time is over. To be called before this process holds anything.
 */
export async function releaseGone(
  { database, config, log }: {
    readonly database: Database;
    readonly config: BrotrConfig;
    readonly log: Logger;
  },
): Promise<void> {
  const isOurs = serverAddress(config.database) === null;
  const gone = goneHolders(await listHolders(database), { isOurs });
  const released = await releaseHolders(database, gone);
  if (released === 0) return;
  log.info("took over what processes held that are gone", {
    processes: gone.length,
    released,
  });
}
