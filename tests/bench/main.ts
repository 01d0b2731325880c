/**
 * `deno task bench [NAME…] [--runs N]`: the figures README quotes. Without a name, all of them but `scale` and `refresh`. N runs make
 * a median where the benchmark takes the option (sync).
 *
 * `deno task bench scale [--events N] [--sightings MEAN] [--directory DIR]`: what an archive of N events costs; `refresh`
 * with the same options: what its statistics do.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { benchDatabase } from "./database.ts";
import { benchFacts } from "./facts.ts";
import { benchMonitor } from "./monitor.ts";
import { benchNegentropy } from "./negentropy.ts";
import { benchRefresh } from "./refresh.ts";
import { benchScale } from "./scale.ts";
import { benchSync } from "./sync.ts";
import { benchSyncCrowd } from "./sync_crowd.ts";
import { benchSyncCycle } from "./sync_cycle.ts";
import { benchSyncFairness } from "./sync_fairness.ts";
import { benchLatency } from "./sync_latency.ts";
import { benchSyncMemory } from "./sync_memory.ts";
import { benchSyncNegentropy } from "./sync_negentropy.ts";
import { benchOverhead } from "./sync_overhead.ts";
import { benchVerify } from "./verify.ts";

/** A benchmark prints its figures itself. */
const BENCHES: Readonly<
  Record<string, (options: { readonly runs: number }) => Promise<void>>
> = {
  verify: benchVerify,
  database: benchDatabase,
  facts: benchFacts,
  negentropy: benchNegentropy,
  sync: benchSync,
  "sync-fairness": benchSyncFairness,
  "sync-crowd": benchSyncCrowd,
  "sync-latency": () => benchLatency(),
  "sync-overhead": benchOverhead,
  "sync-memory": benchSyncMemory,
  "sync-cycle": benchSyncCycle,
  monitor: benchMonitor,
  "sync-negentropy": benchSyncNegentropy,
};

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { positionals: names, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "5" },
      events: { type: "string", default: "1000000" },
      sightings: { type: "string", default: "4.7" },
      directory: { type: "string" },
    },
  });
  const archive = {
    events: Number(values.events),
    sightings: Number(values.sightings),
    directory: values.directory ?? null,
  };
  const [first] = names;
  if (first === "scale" || first === "refresh") {
    await (first === "scale" ? benchScale : benchRefresh)(archive);
    return 0;
  }
  const unknown = names.find((name) => !(name in BENCHES));
  if (unknown !== undefined) {
    const known = Object.keys(BENCHES).join(", ");
    report(`Unknown benchmark "${unknown}": there are ${known}`);
    return 2;
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) {
    report(`--runs is not a number of runs: "${values.runs}"`);
    return 2;
  }
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length === 0 || names.includes(name)) await bench({ runs });
  }
  return 0;
}

function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
