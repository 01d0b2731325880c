/**
 * The synchronizer and a relay far away: how much faster it is than one request at a time.
 *
 * @module
 */
import type { RelayUrl } from "../../src/models/relay_url.ts";
import { testArchive } from "../support/archive.ts";
import { syncWith } from "../support/sync.ts";
import { readAll, startRelay } from "./bench_relay.ts";
import { figure, heading, medianOf, whole } from "./figures.ts";
import { openPool, renamed } from "./sync.ts";

const RUNS = 5;
const LATENCY_MS = 100;
/**
 * The larger page is bounded by what verification can do, the smaller one by the line alone. So many that the first second,
 * in which a relay is not yet asked several things at once, does not count.
 */
const SETTINGS = [{ cap: 500, events: 300_000 }, { cap: 100, events: 40_000 }];

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
  const rates = {
    new: await benchNew(far.relay, { events, runs }),
    known: await benchKnown([near.relay, far.relay], { events, runs }),
  };
  for (const [name, rate] of Object.entries(rates)) {
    const times = `${(rate / single).toFixed(1)} times`;
    figure(`synchronizer, ${name}`, `${whole(rate)}/s`, times);
  }
}

interface Expected {
  readonly events: number;
  readonly runs: number;
}

function benchNew(far: RelayUrl, { events, runs }: Expected): Promise<number> {
  return medianOf(runs, async () => {
    await using archive = await testArchive();
    await using pool = await openPool(2, false);
    const result = await syncWith(pool, { archive, relay: far });
    expectAll(events, result.stored, result.complete);
    return events / result.seconds;
  });
}

/** The far relay by ever new names, after everything came from the near one. */
async function benchKnown(
  [near, far]: readonly [RelayUrl, RelayUrl],
  { events, runs }: Expected,
): Promise<number> {
  await using archive = await testArchive();
  await using pool = await openPool(2, false);
  await syncWith(pool, { archive, relay: near });
  return await medianOf(runs, async (run) => {
    const relay = renamed(far, `again-${run}`);
    const result = await syncWith(pool, { archive, relay });
    expectAll(events, result.known, result.complete);
    return events / result.seconds;
  });
}

function expectAll(wanted: number, count: number, isComplete: boolean): void {
  if (count === wanted && isComplete) return;
  throw new Error(`Cannot tell how fast it is as ${count} events came`);
}
