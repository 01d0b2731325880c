/**
 * Archived events by NIP-01 filters, streamed: the one way in which events leave the archive.
 *
 * First the keys are found, by small statements along one index each, and merged; then the events are fetched by their
 * keys, a bounded number at a time.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import type { NostrEvent } from "../../models/event.ts";
import { servedKeys } from "./served_keys.ts";
import type { ServedView } from "../visibility/served_view.ts";
import { type Filter, matchesFilter } from "../../models/filter.ts";
import { REPLACEMENT, storableText } from "../../models/storable_text.ts";
import { eventLines, fetchLines } from "./event_lines.ts";
import type { EventKey } from "./event_key.ts";
import { filterKeys } from "./filter_keys.ts";
import { tagFields } from "./key_walk.ts";
import { mergedKeys } from "./merged_keys.ts";
import { ReadBudget } from "./read_budget.ts";
import { ReadScheduler } from "./read_scheduler.ts";
import { ReadSteps } from "./read_steps.ts";

/** The archive is `lite`: it keeps no tags, content and signatures, and so cannot give back events. */
export class LiteArchiveError extends Error {
  override readonly name = "LiteArchiveError";
}

export interface EventReaderOptions {
  /** Steps of all queries at the same time. Default: 2. */
  readonly concurrency?: number;
  /** Index entries and rows that one query may look at. Default: no bound. */
  readonly maxWork?: number;
  /** Only what may be served in this view; null, the default: everything archived. */
  readonly served?: ServedView | null | undefined;
}

/** Reads one archive. Of queries that run side by side, the short ones pass the long ones. */
export class EventReader {
  readonly #database: Database;
  readonly #scheduler: ReadScheduler;
  readonly #maxWork: number;
  readonly #served: ServedView | null;
  #isFull = false;

  constructor(
    database: Database,
    { concurrency = 2, maxWork = Infinity, served = null }: EventReaderOptions =
      {},
  ) {
    this.#database = database;
    this.#scheduler = new ReadScheduler(concurrency);
    this.#maxWork = maxWork;
    this.#served = served;
  }

  /** As `lines()`, parsed. */
  async *events(
    filters: readonly Filter[],
    signal: AbortSignal,
  ): AsyncGenerator<NostrEvent[]> {
    for await (const lines of this.lines(filters, signal)) {
      yield lines.map(parseEvent);
    }
  }

  /**
   * The events that match any of the filters, each as the JSON that authors write, exact to the byte; newest first and of one second the
   * lowest id first, each event once. A filter's limit counts its own events. Memory stays at a few chunks: the next
   * one is read while the caller works on the last. After a failure that passes it goes on where it was. Events that
   * arrive or are deleted meanwhile may be in it or not.
   *
   * @throws LiteArchiveError when the archive has no whole events.
   * @throws ReadBudgetError when that takes more work than a query may do.
   */
  async *lines(
    filters: readonly Filter[],
    signal: AbortSignal,
  ): AsyncGenerator<string[]> {
    refuseSearch(filters);
    await this.#requireFull(signal);
    const leaving = new AbortController();
    const steps = new ReadSteps({
      database: this.#database,
      scheduler: this.#scheduler,
      budget: new ReadBudget(this.#maxWork),
      signal: AbortSignal.any([signal, leaving.signal]),
    });
    const streams = filters.map((filter) =>
      filterKeys(steps, filter, {
        confirm: confirmation(steps, filter, this.#served),
      })
    );
    try {
      yield* eventLines(steps, mergedKeys(streams));
    } finally {
      leaving.abort();
    }
  }

  async #requireFull(signal: AbortSignal): Promise<void> {
    if (this.#isFull) return;
    this.#isFull = await this.#database.run(async (sql) => {
      const [row] = await sql<{ edition: string }[]>`
        select archive_edition() as edition`;
      return row!.edition === "full";
    }, { signal });
    if (this.#isFull) return;
    throw new LiteArchiveError(
      "Cannot read events as this archive is lite: it keeps no tags, content and signatures",
    );
  }
}

function refuseSearch(filters: readonly Filter[]): void {
  const search = filters.find((filter) => filter.search !== undefined)?.search;
  if (search === undefined) return;
  throw new Error(
    `Cannot read events as "search" (NIP-50) is not supported by the archive: ${search}`,
  );
}

/** Leaves those that may be served; and that match, where only the exact event can tell, as text is stored as other text. */
function confirmation(
  steps: ReadSteps,
  filter: Filter,
  served: ServedView | null,
): (keys: readonly EventKey[]) => Promise<readonly EventKey[]> {
  const isInexact = tagFields(filter).some((field) =>
    filter[field]?.some((value) => storableText(value).includes(REPLACEMENT))
  );
  return async (found) => {
    const keys = served === null
      ? found
      : await servedKeys(steps, found, served);
    return isInexact ? await matchingKeys(steps, filter, keys) : keys;
  };
}

async function matchingKeys(
  steps: ReadSteps,
  filter: Filter,
  keys: readonly EventKey[],
): Promise<readonly EventKey[]> {
  const matching = new Set<string>();
  for await (const lines of fetchLines(steps, keys)) {
    for (const event of lines.map(parseEvent)) {
      if (matchesFilter(filter, event)) matching.add(event.id);
    }
  }
  return keys.filter(({ id }) => matching.has(id));
}

function parseEvent(line: string): NostrEvent {
  return JSON.parse(line);
}
