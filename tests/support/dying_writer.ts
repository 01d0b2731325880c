/**
 * A writer that stores batch after batch and dies by SIGKILL in the middle of one. Arguments: the database's URL, a relay's
 * id, and a seed.
 *
 * @module
 */
import { storeBatch } from "../../src/archive/events.ts";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import { eventFactory } from "./event_factory.ts";
import { silentLogger } from "./silent_logger.ts";
import { syncBatch } from "./sync_batch.ts";

/** Batches stored before the one that it dies in. */
const WHOLE = 5;

const [url, relayId, seed] = Deno.args;
const config = brotrConfig.parse({ database: { url } });
const database = await connectDatabase(config, {
  log: silentLogger(),
  signal: new AbortController().signal,
});
const factory = eventFactory(`dying writer ${seed}`);
const batch = () =>
  syncBatch(Number(relayId), Array.from({ length: 50 }, () => factory.sign()));
for (let n = 0; n < WHOLE; n++) await storeBatch(database, batch());
await database.transaction(async (sql) => {
  await storeBatch(sql, batch());
  await Deno.stdout.write(new TextEncoder().encode(`stored ${WHOLE}\n`));
  Deno.kill(Deno.pid, "SIGKILL");
});
