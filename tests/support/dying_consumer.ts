/**
 * A consumer of facts that dies by SIGKILL when its fold is written and not yet committed. Argument: the database's URL.
 *
 * @module
 */
import { consumeFacts } from "../../src/archive/facts.ts";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import { addToLedger } from "./fact_ledger.ts";
import { silentLogger } from "./silent_logger.ts";

const { signal } = new AbortController();
const config = brotrConfig.parse({ database: { url: Deno.args[0] } });
const database = await connectDatabase(config, {
  log: silentLogger(),
  signal,
});
await consumeFacts(database, { limit: 5, signal }, async (sql, facts) => {
  await addToLedger(sql, facts);
  await Deno.stdout.write(
    new TextEncoder().encode(`folded ${facts.length}\n`),
  );
  Deno.kill(Deno.pid, "SIGKILL");
});
