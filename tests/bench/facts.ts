/**
 * The queue of facts: what it costs those who write, and how fast it is consumed.
 *
 * @module
 */
import { consumeFacts, factStatus } from "../../src/archive/facts.ts";
import { storeBatch } from "../../src/archive/events.ts";
import type { EncodedEvents } from "../../src/models/encoded_events.ts";
import { encodeEvents } from "../../src/models/encoded_events.ts";
import { type TestArchive, testArchive } from "../support/archive.ts";
import { newRelay, syncBatch } from "../support/sync_batch.ts";
import { makeDurable } from "./durable.ts";
import { figure, heading, median, secondsOf, whole } from "./figures.ts";
import { randomEvents } from "./random_events.ts";

const BATCH = 1_000;
const BATCHES = 30;

/** What stands in for the queue where there is none. */
const NO_QUEUE = `
  create or replace function fact_add(
    p_sign int4, p_relay_id int4, p_created_at int8[], p_kinds int4[], p_keys bytea)
  returns void language plpgsql as 'begin end'`;

/** Prints everything. */
export async function benchFacts(
  { runs }: { readonly runs: number },
): Promise<void> {
  await makeDurable("embedded");
  heading(
    `Facts: ${BATCHES} batches of ${BATCH} new events with a sighting, one connection`,
  );
  const events = randomEvents(BATCH * BATCHES, 1);
  const batches = Array.from(
    { length: BATCHES },
    (_, n) => encodeEvents(events.slice(n * BATCH, (n + 1) * BATCH)),
  );
  const figures = { with: [] as number[], without: [] as number[] };
  const consumed: number[] = [];
  let bytes = 0;
  // In turns, as the machine is not the same from minute to minute, and whoever comes second finds it warmer.
  for (let run = 0; run < runs; run++) {
    const turns = ["with", "without"] as const;
    for (const queue of run % 2 === 0 ? turns : turns.toReversed()) {
      await using archive = await testArchive();
      if (queue === "without") await archive.sql.unsafe(NO_QUEUE);
      figures[queue].push(await storedPerSecond(archive, batches));
      if (queue === "without") continue;
      bytes = (await factStatus(archive.database)).bytes / events.length;
      consumed.push(events.length / await secondsOf(() => consumeAll(archive)));
    }
  }
  figure(
    "events stored, per second, with the queue",
    whole(median(figures.with)),
  );
  figure("without", whole(median(figures.without)));
  const ratios = figures.with.map((one, run) => one / figures.without[run]!);
  figure("ratio, median of the pairs", median(ratios).toFixed(3));
  figure("bytes an event with its sighting, waiting", whole(bytes));
  figure("events taken and parsed, per second", whole(median(consumed)));
}

async function storedPerSecond(
  archive: TestArchive,
  batches: readonly EncodedEvents[],
): Promise<number> {
  const relayId = await newRelay(archive);
  const seconds = await secondsOf(async () => {
    for (const events of batches) {
      await storeBatch(archive.database, {
        ...syncBatch(relayId, []),
        events,
      });
    }
  });
  return BATCH * batches.length / seconds;
}

async function consumeAll({ database }: TestArchive): Promise<void> {
  const { signal } = new AbortController();
  while (
    await consumeFacts(database, { limit: 20, signal }, async () => {})
  );
}
