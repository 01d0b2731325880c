/**
 * The synchronizer and a relay far away: how much faster it is than one request at a time.
 *
 * @module
 */
import { testArchive } from "../support/archive.ts";
import { syncWith } from "../support/sync.ts";
import { readAll, startRelay } from "./bench_relay.ts";
import { figure, heading, medianOf, whole } from "./figures.ts";
import { openPool } from "./sync.ts";

const RUNS = 5;
const LATENCY_MS = 100;
/** The larger page is bounded by what verification can do, the smaller one by the line alone. */
const SETTINGS = [{ cap: 500, events: 100_000 }, { cap: 100, events: 40_000 }];

interface Setting {
  /** Events that the relay gives at once. */
  readonly cap: number;
  readonly events: number;
}

/** Prints everything. */
export async function benchLatency(runs = RUNS): Promise<void> {
  for (const setting of SETTINGS) await bench(setting, runs);
}

async function bench({ cap, events }: Setting, runs: number): Promise<void> {
  heading(
    `Sync of ${
      whole(events)
    } events over a line of ${LATENCY_MS} ms either way, capped at ${cap}`,
  );
  const served = { events, seed: 3, cap };
  await using near = await startRelay(served);
  await using far = await startRelay({ ...served, latencyMs: LATENCY_MS });
  // More pages would only take longer.
  const few = { ...served, events: 20 * cap, latencyMs: LATENCY_MS };
  await using part = await startRelay(few);
  const single = await medianOf(Math.min(runs, 3), async () => {
    const read = await readAll(part.relay.url, cap);
    return read.events / read.seconds;
  });
  figure("one REQ at a time, nothing checked", `${whole(single)}/s`);
  const known: number[] = [];
  const fresh = await medianOf(runs, async () => {
    await using archive = await testArchive();
    await using pool = await openPool(2, false);
    const result = await syncWith(pool, { archive, relay: far.relay });
    expectAll(events, result.stored, result.complete);
    await using other = await testArchive();
    await syncWith(pool, { archive: other, relay: near.relay });
    const again = await syncWith(pool, { archive: other, relay: far.relay });
    expectAll(events, again.known, again.complete);
    known.push(events / again.seconds);
    return events / result.seconds;
  });
  known.sort((a, b) => a - b);
  for (
    const [name, rate] of [["new", fresh], ["known", middle(known)]] as const
  ) {
    const times = `${(rate / single).toFixed(1)} times`;
    figure(`synchronizer, ${name}`, `${whole(rate)}/s`, times);
  }
}

function middle(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1]!;
}

function expectAll(wanted: number, count: number, isComplete: boolean): void {
  if (count === wanted && isComplete) return;
  throw new Error(`Cannot tell how fast it is as ${count} events came`);
}
