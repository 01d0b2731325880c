/**
 * The synchronizer: events a second from the socket to the commit, id and signature checked; and how fast it knows
 * again what the archive has from another relay.
 *
 * @module
 */
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { synchronizerConfig } from "../../src/services/synchronizer/config/config.ts";
import type { RelaySync } from "../../src/services/synchronizer/sync_relay.ts";
import { limiterOf, Politeness } from "../../src/transport/politeness.ts";
import {
  openSyncPool,
  type SyncPool,
} from "../../src/workers/host/worker_pool.ts";
import { testArchive } from "../support/archive.ts";
import { type ServerVersion, serverVersions } from "../support/postgres.ts";
import { syncWith } from "../support/sync.ts";
import { readAll, startRelay } from "./bench_relay.ts";
import { makeDurable } from "./durable.ts";
import { figure, heading, medianOf, secondsOf, whole } from "./figures.ts";

const RUNS = 5;
/** On each relay. */
const EVENTS = 40_000;
const CAP = 500;

/** Prints everything. */
export async function benchSync(): Promise<void> {
  await using one = await startRelay({ events: EVENTS, seed: 1, cap: CAP });
  await using two = await startRelay({ events: EVENTS, seed: 2, cap: CAP });
  heading(
    `Sync of ${whole(2 * EVENTS)} events, two relays at once, capped at ${CAP}`,
  );
  const served = await medianOf(RUNS, async () => {
    const { events, seconds } = await readAll(one.relay.url, CAP);
    return events / seconds;
  });
  figure("one relay by itself, nothing checked", `${whole(served)}/s`);
  const relays = [one.relay, two.relay];
  for (const version of await serverVersions()) {
    await makeDurable(version);
    for (const workers of [1, 2]) {
      await bench(relays, { version, workers, wasm: false });
    }
  }
  await bench(relays, { version: "embedded", workers: 2, wasm: true });
}

interface Setting {
  readonly version: ServerVersion;
  readonly workers: number;
  readonly wasm: boolean;
}

async function bench(
  relays: readonly RelayUrl[],
  { version, workers, wasm }: Setting,
): Promise<void> {
  const known: number[] = [];
  const total = relays.length * EVENTS;
  const fresh = await medianOf(RUNS, async () => {
    await using archive = await testArchive({ version });
    await using pool = await openPool(workers, wasm);
    const syncAll = (targets: readonly RelayUrl[]) =>
      Promise.all(
        targets.map((relay) => syncWith(pool, { archive, relay })),
      );
    const seconds = await secondsOf(async () => {
      for (const result of await syncAll(relays)) expect("stored", result);
    });
    // Another name for the same relay: another relay, with nothing but known events.
    const again = await secondsOf(async () => {
      for (
        const result of await syncAll(relays.map((relay) => renamed(relay)))
      ) {
        expect("known", result);
      }
    });
    known.push(total / again);
    return total / seconds;
  });
  const verifier = wasm ? "WASM" : "libsecp256k1";
  const name = `${version}, ${workers} worker${workers > 1 ? "s" : ""}`;
  figure(`new, ${name}, ${verifier}`, `${whole(fresh)}/s`);
  known.sort((a, b) => a - b);
  figure(`known, ${name}`, `${whole(known[known.length >> 1]!)}/s`);
}

/** Another relay, as far as anybody can tell, with the same events. */
export function renamed(relay: RelayUrl, name = "again"): RelayUrl {
  return { ...relay, url: `${relay.url}/${name}`, path: `/${name}` };
}

function expect(what: "stored" | "known", result: RelaySync): void {
  if (result[what] === EVENTS && result.complete) return;
  throw new Error(`Not everything was synced: ${JSON.stringify(result)}`);
}

/** Workers as the service opens them. */
export function openPool(workers: number, wasm: boolean): Promise<SyncPool> {
  const { networks, maxBatches } = synchronizerConfig.parse({});
  return openSyncPool({
    workers,
    maxBatches,
    limiter: limiterOf(new Politeness({ maxNewConnectionsPerMinute: 6_000 })),
    verifier: wasm ? { library: null } : {},
    worker: {
      networks,
      allowPrivate: true,
      allowInsecureTls: false,
      userAgent: "bench",
      authKey: null,
      optOut: [],
    },
    onLost: (detail) => {
      throw new Error(`A worker was lost: ${detail}`);
    },
  });
}
