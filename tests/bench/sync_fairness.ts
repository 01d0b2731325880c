/**
 * What relays that cost more than they give cost those they share the threads with, and the main thread.
 *
 * @module
 */
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { silentLogger } from "../support/silent_logger.ts";
import { synchronizerConfig } from "../../src/services/synchronizer/config/config.ts";
import { openPool } from "../../src/services/synchronizer/wiring.ts";
import { testArchive } from "../support/archive.ts";
import { PESTS } from "../support/pests.ts";
import { relayAt } from "../support/dialing.ts";
import { startScript } from "../support/script_process.ts";
import { syncWith } from "../support/sync.ts";
import { figure, heading, median, secondsOf, whole } from "./figures.ts";

const RELAYS = 4;
/** On each relay: some seconds' work, since what floods or forges costs most when it is met for the first time. */
const EVENTS = 20_000;
const CAP = 500;

/** Prints everything; each figure is the median of so many turns. */
export async function benchSyncFairness(
  { runs }: { readonly runs: number },
): Promise<void> {
  heading(
    `Sync of ${RELAYS} relays, ${whole(EVENTS)} events each, and their company`,
  );
  await using good = await startRelays("relay_crowd", RELAYS, EVENTS, CAP);
  await using pests = await startRelays("relay_pests");
  const companies: readonly Company[] = [
    {
      name: "beside a flooding, a forging and a silent one",
      relays: pests.relays.slice(0, FIRST_PESTS),
    },
    ...PESTS.map(({ what }, i) => ({
      name: `beside one that ${what}`,
      relays: pests.relays.slice(FIRST_PESTS + i, FIRST_PESTS + i + 1),
    })),
  ];
  // The first run is slower than those that follow, whoever takes part.
  await measure(good.relays, []);
  const turns = companies.map(() => new Array<Turn>());
  for (let run = 0; run < runs; run++) {
    // Each between two runs without it: how fast the machine is changes more than a neighbour changes anything.
    let before = await measure(good.relays, []);
    for (const [i, { relays }] of companies.entries()) {
      const beside = await measure(good.relays, relays);
      const after = await measure(good.relays, []);
      const alone = (before.rate + after.rate) / 2;
      turns[i]!.push({
        ...beside,
        alone,
        share: beside.rate / alone,
        aloneCpuSeconds: (before.cpuSeconds + after.cpuSeconds) / 2,
        aloneHeldMs: Math.max(before.heldMs, after.heldMs),
      });
      before = after;
    }
  }
  const all = turns.flat();
  figure("alone", `${whole(median(all.map(({ alone }) => alone)))}/s`);
  for (const [i, { name }] of companies.entries()) {
    const of = (what: keyof Turn) => median(turns[i]!.map((it) => it[what]));
    figure(
      name,
      of("share").toFixed(2),
      `${whole(of("rate"))}/s, ${of("cpuSeconds").toFixed(1)} s CPU (alone ` +
        `${of("aloneCpuSeconds").toFixed(1)}), main thread at work for ` +
        `${Math.round(of("busyMs"))} ms at a time, held for ` +
        `${Math.round(of("heldMs"))} (alone ${Math.round(of("aloneHeldMs"))})`,
    );
  }
}

/** The relays that the good ones share the threads with. */
interface Company {
  readonly name: string;
  readonly relays: readonly RelayUrl[];
}

/** The first pests, which are measured together. */
const FIRST_PESTS = 3;

interface Measured {
  /** New events of the good relays a second. */
  readonly rate: number;
  /** Of all our threads together, s: what tells on a machine that has other work, as is sending what pests send. */
  readonly cpuSeconds: number;
  /** The most work of the main thread between two ticks of its timer, ms of CPU: what our code is to answer for. */
  readonly busyMs: number;
  /** The longest time between two ticks, ms: waits for a free CPU included, which whoever else is at work causes. */
  readonly heldMs: number;
}

interface Turn extends Measured {
  /** The rate without the company, at that time. */
  readonly alone: number;
  /** The part of it that was left. */
  readonly share: number;
  /** The same without the company. */
  readonly aloneCpuSeconds: number;
  readonly aloneHeldMs: number;
}

async function measure(
  good: readonly RelayUrl[],
  pests: readonly RelayUrl[],
): Promise<Measured> {
  let last = performance.now();
  let lastCpuMs = threadCpuMs();
  let heldMs = 0;
  let busyMs = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const cpuMs = threadCpuMs();
    heldMs = Math.max(heldMs, now - last - TICK_MS);
    busyMs = Math.max(busyMs, cpuMs - lastCpuMs);
    last = now;
    lastCpuMs = cpuMs;
  }, TICK_MS);
  const before = process.cpuUsage();
  const rate = await throughput(good, pests).finally(() =>
    clearInterval(timer)
  );
  const { user, system } = process.cpuUsage(before);
  return { rate, cpuSeconds: (user + system) / 1e6, busyMs, heldMs };
}

const TICK_MS = 5;

/** What the main thread has worked until now, ms (Linux: the first number of its `schedstat`, in nanoseconds). */
function threadCpuMs(): number {
  const path = `/proc/self/task/${Deno.pid}/schedstat`;
  return parseInt(Deno.readTextFileSync(path)) / 1e6;
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
