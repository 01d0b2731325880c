/**
 * What hundreds of URLs at one address cost the relays that have theirs for themselves.
 *
 * @module
 */
import { insertRelays } from "../../src/archive/relays.ts";
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { synchronizer } from "../../src/services/synchronizer/mod.ts";
import { startService, testArchive } from "../support/archive.ts";
import { relayAt } from "../support/dialing.ts";
import { startScript } from "../support/script_process.ts";
import { startRelay } from "./bench_relay.ts";
import { figure, heading, median, secondsOf, whole } from "./figures.ts";

const RELAYS = 200;
const CROWD = 500;
/** On each relay. */
const EVENTS = 100;
/** Of the address that the crowd shares, either way. */
const LATENCY_MS = 25;

const CONFIG = {
  allowPrivate: true,
  maxNewConnectionsPerMinute: 3_000,
  live: { enabled: false },
};

/** Prints everything; each figure is the median of so many turns. */
export async function benchSyncCrowd(
  { runs }: { readonly runs: number },
): Promise<void> {
  heading(
    `First sync of ${RELAYS} relays, ${EVENTS} events each, beside ${CROWD} URLs at one address`,
  );
  const script = new URL("./many_relays.ts", import.meta.url);
  await using many = startScript(script, [RELAYS, EVENTS, 0]);
  const urls: readonly string[] = JSON.parse(await many.next());
  const options = { events: EVENTS, seed: 3, cap: 500, latencyMs: LATENCY_MS };
  await using shared = await startRelay(options);
  const others = urls.map(relayAt);
  const crowd = Array.from(
    { length: CROWD },
    (_, i) => relayAt(`${shared.relay.url}/${i}`),
  );
  // The first run is slower than those that follow, whoever takes part.
  await secondsUntilSynced(others, []);
  const alone: number[] = [];
  const beside: number[] = [];
  // In turns, so that whatever else the machine does falls on both.
  for (let run = 0; run < runs; run++) {
    alone.push(await secondsUntilSynced(others, []));
    beside.push(await secondsUntilSynced(others, crowd));
  }
  // Of runs beside each other: how fast the machine is changes more than the crowd changes anything.
  const share = median(beside.map((seconds, run) => seconds / alone[run]!)) - 1;
  figure("alone", `${median(alone).toFixed(1)} s`);
  figure(
    `beside ${whole(CROWD)} URLs at one address`,
    `${median(beside).toFixed(1)} s`,
    `${(100 * share).toFixed(1)} % more`,
  );
}

/** Until all of `others` are synced, those of the crowd being due before them. */
async function secondsUntilSynced(
  others: readonly RelayUrl[],
  crowd: readonly RelayUrl[],
): Promise<number> {
  await using archive = await testArchive();
  await insertRelays(archive.database, crowd);
  await insertRelays(archive.database, others);
  const { database } = archive;
  await using _running = startService(synchronizer, database, {
    config: CONFIG,
  });
  return await secondsOf(async () => {
    while (await synced(archive, others) < others.length) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}

/** How many of them were given back after a sync. */
async function synced(
  { sql }: Awaited<ReturnType<typeof testArchive>>,
  relays: readonly RelayUrl[],
): Promise<number> {
  const urls = relays.map(({ url }) => url);
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from relay_lease join relay on id = relay_id
    where service = 'synchronizer' and interval_seconds is not null
      and url = any (${urls})`;
  return row?.count ?? 0;
}
