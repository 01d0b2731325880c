/**
 * The synchronizer: how many events are received for each that the relay holds, on a first sync by paging.
 *
 * @module
 */
import { testArchive } from "../support/archive.ts";
import { syncWith } from "../support/sync.ts";
import { startRelay } from "./bench_relay.ts";
import { figure, heading, whole } from "./figures.ts";
import { openPool } from "./sync.ts";

const EVENTS = 200_000;
const CAP = 500;

/** Prints everything. */
export async function benchOverhead(): Promise<void> {
  heading(`First sync of ${whole(EVENTS)} events, capped at ${CAP}`);
  for (const latencyMs of [0, 50]) {
    await using relay = await startRelay({
      events: EVENTS,
      seed: 4,
      cap: CAP,
      latencyMs,
    });
    await using archive = await testArchive();
    await using pool = await openPool(2, false);
    const result = await syncWith(pool, { archive, relay: relay.relay });
    if (result.stored !== EVENTS || !result.complete) {
      throw new Error(`Not everything was synced: ${JSON.stringify(result)}`);
    }
    const share = (result.received / EVENTS).toFixed(4);
    figure(
      `received per event held, latency ${latencyMs} ms`,
      share,
      `${whole(result.requests)} requests`,
    );
  }
}
