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
import {
  figure,
  heading,
  median,
  medianOf,
  secondsOf,
  whole,
} from "./figures.ts";

/** On each relay: so many that the third of a second that a first sync takes whatever its size does not count. */
const EVENTS = 100_000;
const CAP = 500;

/** Prints everything; each figure is the median of so many runs. */
export async function benchSync(
  { runs }: { readonly runs: number },
): Promise<void> {
  await using one = await startRelay({ events: EVENTS, seed: 1, cap: CAP });
  await using two = await startRelay({ events: EVENTS, seed: 2, cap: CAP });
  heading(
    `Sync of ${
      whole(EVENTS)
    } events a relay, capped at ${CAP}, in ${runs} runs`,
  );
  const served = await medianOf(runs, async () => {
    const { events, seconds } = await readAll(one.relay.url, CAP);
    return events / seconds;
  });
  figure("one relay by itself, nothing checked", `${whole(served)}/s`);
  const relays = [one.relay, two.relay];
  for (const version of await serverVersions()) {
    await makeDurable(version);
    await bench(relays, { version, wasm: false, runs });
  }
  await bench(relays, { version: "embedded", wasm: true, runs });
}

interface Setting {
  readonly version: ServerVersion;
  readonly wasm: boolean;
  readonly runs: number;
}

async function bench(
  relays: readonly RelayUrl[],
  setting: Setting,
): Promise<void> {
  const alone: number[] = [];
  const together: number[] = [];
  const known: number[] = [];
  // In turns, so that a machine whose speed drifts treats all alike.
  for (let run = 0; run < setting.runs; run++) {
    alone.push((await rates(relays.slice(0, 1), setting)).fresh);
    const both = await rates(relays, setting);
    together.push(both.fresh);
    known.push(both.known);
  }
  const { version, wasm } = setting;
  const by = `${version}, ${wasm ? "WASM" : "libsecp256k1"}`;
  figure(`new, one relay alone, ${by}`, perSecond(alone));
  figure(`new, two relays at once, ${by}`, perSecond(together));
  figure(`known, two relays at once, ${by}`, perSecond(known));
}

/** Events a second into an empty archive, and again when it has them, with as many workers as there are cores. */
async function rates(
  relays: readonly RelayUrl[],
  { version, wasm }: Setting,
): Promise<{ readonly fresh: number; readonly known: number }> {
  await using archive = await testArchive({ version });
  await using pool = await openPool(navigator.hardwareConcurrency, wasm);
  const rate = async (what: "stored" | "known", of: readonly RelayUrl[]) => {
    const seconds = await secondsOf(async () => {
      const results = await Promise.all(
        of.map((relay) => syncWith(pool, { archive, relay })),
      );
      for (const result of results) expect(what, result);
    });
    return of.length * EVENTS / seconds;
  };
  const fresh = await rate("stored", relays);
  // Another name for the same relay: another relay, with nothing but known events.
  const again = relays.map((relay) => renamed(relay));
  return { fresh, known: await rate("known", again) };
}

function perSecond(rates: readonly number[]): string {
  return `${whole(median(rates))}/s`;
}

/** Another relay, as far as anybody can tell, with the same events. */
export function renamed(relay: RelayUrl, name = "again"): RelayUrl {
  return { ...relay, url: `${relay.url}/${name}`, path: `/${name}` };
}

/** The audit may show some of what is known once more. */
function expect(what: "stored" | "known", result: RelaySync): void {
  const count = result[what];
  if (count >= EVENTS && count < 1.02 * EVENTS && result.complete) return;
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
