/**
 * Batches as the synchronizer stores them.
 *
 * @module
 */
import type { SyncBatch } from "../../src/archive/events.ts";
import { insertRelays, relayIds } from "../../src/archive/relays.ts";
import { encodeEvents, encodeKeys } from "../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import type { TestArchive } from "./archive.ts";

/** A batch of these events; whatever else is in it is given as the batch has it. */
export function syncBatch(
  relayId: number,
  events: readonly NostrEvent[],
  rest: Partial<SyncBatch> = {},
): SyncBatch {
  return {
    relayId,
    seenAt: 1_790_000_000,
    events: encodeEvents(events),
    known: encodeKeys([]),
    hints: [],
    budgets: { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 },
    rejected: [],
    coverage: [],
    gaps: [],
    ...rest,
  };
}

/** The id of a relay that is made for it. */
export async function newRelay(
  { database }: TestArchive,
  url = "wss://relay.example.com",
): Promise<number> {
  await insertRelays(database, [{ url, network: "clearnet" }]);
  return (await relayIds(database, [url])).get(url)!;
}
