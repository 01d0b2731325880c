/**
 * What a relay that floods for ever, one that only forges and one that never answers cost those they share the threads
 * with.
 *
 * @module
 */
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { silentLogger } from "../support/silent_logger.ts";
import { synchronizerConfig } from "../../src/services/synchronizer/config/config.ts";
import { openPool } from "../../src/services/synchronizer/wiring.ts";
import { testArchive } from "../support/archive.ts";
import { relayAt } from "../support/dialing.ts";
import { startScript } from "../support/script_process.ts";
import { syncWith } from "../support/sync.ts";
import { figure, heading, medianOf, secondsOf, whole } from "./figures.ts";

const RUNS = 5;
const RELAYS = 4;
/** On each relay: some seconds' work, since what floods or forges costs most when it is met for the first time. */
const EVENTS = 20_000;
const CAP = 500;

/** Prints everything. */
export async function benchSyncFairness(): Promise<void> {
  heading(
    `Sync of ${RELAYS} relays, ${whole(EVENTS)} events each, and their company`,
  );
  await using good = await startRelays("relay_crowd", RELAYS, EVENTS, CAP);
  await using pests = await startRelays("relay_pests");
  // The first run is slower than those that follow, whoever takes part.
  await throughput(good.relays, []);
  // In turns, so that whatever else the machine does falls on both.
  const beside: number[] = [];
  const alone = await medianOf(RUNS, async () => {
    beside.push(await throughput(good.relays, pests.relays));
    return await throughput(good.relays, []);
  });
  const disturbed = await medianOf(
    RUNS,
    (run) => Promise.resolve(beside[run]!),
  );
  figure("alone", `${whole(alone)}/s`);
  figure(
    "beside a flooding, a forging and a silent one",
    `${whole(disturbed)}/s`,
    `${(disturbed / alone).toFixed(2)} of it`,
  );
}

/** New events of the good relays a second, from the first of them to the last. */
async function throughput(
  good: readonly RelayUrl[],
  pests: readonly RelayUrl[],
): Promise<number> {
  await using archive = await testArchive();
  const config = synchronizerConfig.parse({ allowPrivate: true });
  await using pool = await openPool(config, silentLogger());
  const over = new AbortController();
  const plagued = pests.map((relay) =>
    syncWith(pool, { archive, relay, signal: over.signal })
  );
  const seconds = await secondsOf(async () => {
    const syncs = good.map((relay) => syncWith(pool, { archive, relay }));
    for (const { complete, stored } of await Promise.all(syncs)) {
      if (!complete || stored !== EVENTS) {
        throw new Error(`Not everything was synced: ${stored}`);
      }
    }
  });
  over.abort();
  await Promise.all(plagued);
  return good.length * EVENTS / seconds;
}

async function startRelays(name: string, ...args: readonly number[]) {
  const script = new URL(`./${name}.ts`, import.meta.url);
  const relays = startScript(script, args);
  const ports: readonly number[] = JSON.parse(await relays.next());
  return {
    relays: ports.map((port) => relayAt(`ws://127.0.0.1:${port}`)),
    [Symbol.asyncDispose]: () => relays[Symbol.asyncDispose](),
  };
}
