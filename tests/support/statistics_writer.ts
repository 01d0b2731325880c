/**
 * A writer whose batches statistics follow: it stores, imports, deletes and forgets at random until its stdin ends or it is
 * killed, and prints a line for each.
 *
 * Arguments: the database's URL, now in Unix seconds, a seed that all writers share, the seed of this one, and the ids of
 * relays.
 *
 * @module
 */
import {
  insertEvents,
  knownEvents,
  storeBatch,
} from "../../src/archive/events.ts";
import { deleteOrphanEvents } from "../../src/archive/maintenance.ts";
import { forget } from "../../src/archive/visibility/forget.ts";
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import type { Database } from "../../src/core/database/connection/database.ts";
import { errorCode } from "../../src/core/database/connection/database_error.ts";
import { encodeEvents, encodeKeys } from "../../src/models/encoded_events.ts";
import type { NostrEvent } from "../../src/models/event.ts";
import { type EventFactory, eventFactory } from "./event_factory.ts";
import { shiftClock } from "./shifted_clock.ts";
import { silentLogger } from "./silent_logger.ts";
import { syncBatch } from "./sync_batch.ts";

/** All writers have the same events, so that several meet at one. */
const EVENTS = 1_000;
const AUTHORS = 50;
/** Whoever comes behind them is forgotten sooner or later. */
const LASTING_AUTHORS = 35;

const FOREIGN_KEY_VIOLATION = "23503";

const KINDS = [0, 1, 1, 1, 3, 6, 7, 7, 445, 1_059, 1_059, 10_002, 30_023];

const [url = "", now, seed = "", own = "", ...relays] = Deno.args;
const random = eventFactory(`${seed} ${own}`);
// No two machines agree about now.
using _clock = shiftClock(random.number(200_000) - 150_000);
const shared = eventFactory(`statistics ${seed}`);
const events = sharedEvents(shared);
const lasting = new Set(
  Array.from({ length: LASTING_AUTHORS }, (_, author) => shared.pubkey(author)),
);
const database = await connectDatabase(
  brotrConfig.parse({
    database: { url },
    pool: { maxConnections: 2 },
  }),
  { log: silentLogger(), signal: new AbortController().signal },
);
const { signal } = new AbortController();

let isOver = false;
const stdin = Deno.stdin.readable.pipeTo(new WritableStream()).then(() =>
  isOver = true
);
while (!isOver) {
  const said = await writeOnce(database);
  await Deno.stdout.write(new TextEncoder().encode(`${said}\n`));
}
await stdin;
await database[Symbol.asyncDispose]();

async function writeOnce(database: Database): Promise<string> {
  const some = someEvents(10 + random.number(50));
  const relayId = Number(random.pick(relays));
  switch (random.number(20)) {
    case 0:
      await deleteOrphanEvents(database, { batchSize: 200, signal });
      return "cleaned up";
    case 1:
      await forget(database, [{ type: "event", key: some[0]!.id }], signal);
      return "forgot an event";
    case 2: {
      const author = some.find(({ pubkey }) => !lasting.has(pubkey));
      if (author === undefined) return "forgot nobody";
      const key = author.pubkey;
      await forget(database, [{ type: "author", key }], signal);
      return "forgot an author";
    }
    case 3:
    case 4:
    case 5:
    case 6:
      await insertEvents(database, encodeEvents(some));
      return "imported";
    default: {
      const found = someEvents(20);
      const flags = await knownEvents(database, encodeKeys(found));
      const known = encodeKeys(found.filter((_, i) => flags[i] === 1));
      const seenAt = random.number(2) === 0 ? null : random.number(2 ** 31);
      const batch = syncBatch(relayId, some, { known, seenAt });
      try {
        await storeBatch(database, batch);
        return "synced";
      } catch (error) {
        // What was known a moment ago was deleted: as the synchronizer does, it is asked for again another time.
        if (errorCode(error) === FOREIGN_KEY_VIOLATION) return "met a deletion";
        throw error;
      }
    }
  }
}

function someEvents(count: number): NostrEvent[] {
  return [...new Set(Array.from({ length: count }, () => random.pick(events)))];
}

/** Four in five of the last 40 days; one in ten back-dated by years, the others of tomorrow or of after all days. */
function sharedEvents(factory: EventFactory): NostrEvent[] {
  return Array.from({ length: EVENTS }, () => {
    const kind = factory.pick(KINDS);
    const createdAt = momentOf(factory, factory.number(40));
    const author = Math.floor(AUTHORS * (factory.number(1_000) / 1_000) ** 2);
    return factory.sign({ kind, createdAt, author, content: "" });
  });
}

function momentOf(factory: EventFactory, drawn: number): number {
  if (drawn === 0) return 3_155_760_000 + factory.number(1_000_000_000);
  if (drawn === 1) return factory.number(3);
  if (drawn < 4) return Number(now) + factory.number(2 * 86_400);
  if (drawn < 8) return Number(now) - factory.number(5 * 365 * 86_400);
  return Number(now) - factory.number(40 * 86_400);
}
