/**
 * The search of the archive: relays mentioned by events that were archived before, in the order of their arrival.
 *
 * The search resumes where it was: the candidates of a page and the position after it are stored together.
 *
 * @module
 */
import { z } from "zod";
import { clockFrom, databaseClock } from "../../archive/clock.ts";
import type { CandidateHint } from "../../archive/candidates.ts";
import type { Executor } from "../../core/database/connection/executor.ts";
import {
  type ArchivePage,
  type ArchivePosition,
  isSearchable,
  scanArchive,
  startOfSecond,
} from "../../archive/event_scan.ts";
import { getState, upsertState } from "../../archive/service_state.ts";
import {
  advanceWal,
  type WalPosition,
} from "../../archive/sync/wal_position.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { extractHints } from "../../models/relay_hints.ts";
import { countCandidates, storeHints } from "./candidates_found.ts";
import type { FinderConfig } from "./config.ts";

const CURSOR = {
  serviceName: "finder",
  stateType: "cursor",
  stateKey: "archive",
} as const;

const positionValue = z.object({
  seenAt: z.number(),
  createdAt: z.number(),
  id: z.string().regex(/^([0-9a-f]{64})?$/),
});

/** Searches on until everything is searched or the time of this cycle is used up. */
export async function searchArchive(ctx: Context<FinderConfig>): Promise<void> {
  const { config, database, log, signal } = ctx;
  if (!await isSearchable(database)) {
    return log.debug("nothing to search: a lite archive keeps no tags");
  }
  const { maxSecondsPerCycle, pageSize } = config.archive;
  const deadline = performance.now() + maxSecondsPerCycle * 1_000;
  const { allowPrivate } = config;
  // Before the place to go on from is read: what is stored rests on it.
  let wal = await advanceWal(database);
  // When events arrived is the database's time.
  const now = clockFrom((await databaseClock(database)).now);
  const pages = scanArchive(database, {
    from: await loadPosition(database),
    until: now(),
    pageSize,
    find: (event) => extractHints(event, { allowPrivate }),
    signal,
  });
  let events = 0;
  let inserted = 0;
  for await (const page of pages) {
    events += page.events;
    const stored = await storePage(ctx, page, { now: now(), wal });
    inserted += stored.inserted;
    wal = stored.wal;
    if (performance.now() >= deadline) break;
  }
  if (events > 0) log.info("archive searched", { events, inserted });
}

async function loadPosition(database: Executor): Promise<ArchivePosition> {
  const [state] = await getState(database, CURSOR);
  const position = positionValue.safeParse(state?.value);
  return position.success ? position.data : startOfSecond(0);
}

/**
 * Stores candidates and position in one transaction, if the server still has what the pages before left; gives the number of
 * new candidates.
 */
async function storePage(
  { config, database, metrics }: Context<FinderConfig>,
  { found, next }: ArchivePage<CandidateHint>,
  { now, wal }: { readonly now: number; readonly wal: WalPosition },
): Promise<{ readonly inserted: number; readonly wal: WalPosition }> {
  const { settleSeconds } = config.archive;
  const position = settled(next, now + 1 - settleSeconds);
  const stored = await database.transaction(async (sql) => {
    const hints = await storeHints(sql, found, config.budgets);
    await upsertState(sql, [{ ...CURSOR, value: position }]);
    return { hints, wal: await advanceWal(sql, wal) };
  }, { kind: "batch" });
  countCandidates(metrics, "archive", stored.hints);
  return { inserted: stored.hints.inserted, wal: stored.wal };
}

/**
 * The position to go on from: not within the last seconds, where a transaction that is still open may yet add events
 * that count as having arrived before it ended.
 */
function settled(
  next: ArchivePosition | null,
  unsettledFrom: number,
): ArchivePosition {
  const unsettled = Math.max(0, unsettledFrom);
  return next === null || next.seenAt > unsettled
    ? startOfSecond(unsettled)
    : next;
}
