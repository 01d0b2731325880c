/**
 * Archived events by NIP-01 filter, streamed.
 *
 * @module
 */
import type { NostrEvent } from "../models/event.ts";
import { type Filter, matchesFilter } from "../models/filter.ts";
import { REPLACEMENT, storableText } from "../models/storable_text.ts";
import type { Database, Sql } from "../core/database/connection/database.ts";
import type { ServedView } from "./visibility/served_view.ts";
import { eventSelect, tagFields } from "./event_filter.ts";

/** The archive is `lite`: it keeps no tags, content and signatures, and so cannot give back events. */
export class LiteArchiveError extends Error {
  override readonly name = "LiteArchiveError";
}

export interface QueryOptions {
  /** Events in one chunk at most. An event can be a megabyte. */
  readonly chunkSize: number;
  readonly signal: AbortSignal;
  /** Only what may be served; null or left out: everything archived. */
  readonly served?: ServedView | null | undefined;
}

/**
 * The archived events that match a filter, exact to the byte, newest first and of one second the lowest id first.
 * Memory stays at a few chunks: the next one is read when the last one was taken. After a failure that passes
 * (a lost connection) it goes on where it was.
 *
 * @throws LiteArchiveError when the archive has no whole events.
 */
export async function* queryEvents(
  db: Database,
  filter: Filter,
  { chunkSize, signal, served }: QueryOptions,
): AsyncGenerator<NostrEvent[]> {
  if (filter.search !== undefined) {
    throw new Error(
      `Cannot query events as "search" (NIP-50) is not supported by the archive: ${filter.search}`,
    );
  }
  const leaving = new AbortController();
  const { readable, writable } = new TransformStream<NostrEvent[]>();
  const writer = writable.getWriter();
  const walk = new Walk(filter, chunkSize, served ?? null);
  const reading = db.transaction(
    (sql) => walk.read(sql, (events) => writer.write(events)),
    { kind: "refresh", signal: AbortSignal.any([signal, leaving.signal]) },
  ).then(() => writer.close(), (error) => writer.abort(error));
  try {
    yield* readable;
  } finally {
    leaving.abort();
    // The writer hears of an abort by its own rejection; nothing else is to be said about it.
    await reading.catch(() => {});
  }
}

/** A query that knows how far it has come, so that it can begin again in the middle. */
class Walk {
  readonly #filter: Filter;
  readonly #chunkSize: number;
  readonly #served: ServedView | null;
  /** Only the exact event can tell, where the filter asks for text that is stored as other text is. */
  readonly #inexact: boolean;
  #given = 0;
  #last: { readonly createdAt: number; readonly id: string } | null = null;
  /** Events given of the second of the last one. */
  #givenOfSecond = 0;

  constructor(filter: Filter, chunkSize: number, served: ServedView | null) {
    this.#served = served;
    this.#filter = filter;
    this.#chunkSize = chunkSize;
    this.#inexact = tagFields(filter).some((field) =>
      filter[field]?.some((value) => storableText(value).includes(REPLACEMENT))
    );
  }

  /** Reads what is left, and gives it on in chunks. */
  async read(
    sql: Sql,
    give: (events: NostrEvent[]) => Promise<void>,
  ): Promise<void> {
    if (this.#isDone()) return;
    await requireFullArchive(sql);
    const { text, parameters, ordered } = eventSelect(
      ...this.#rest(),
      this.#served,
    );
    // Where an index has the order, sorting would write the archive to disk before the first row. Compiling a query
    // costs more than reading some hundred rows.
    await sql.unsafe(
      `set local jit = off; set local enable_sort = ${ordered ? "off" : "on"}`,
    );
    const rows = sql.unsafe<EventRow[]>(text, [...parameters]);
    for await (const chunk of rows.cursor(this.#chunkSize)) {
      const events = this.#take(chunk.map(asEvent));
      if (events.length > 0) await give(events);
      if (this.#isDone()) break;
    }
  }

  #isDone(): boolean {
    return this.#filter.limit !== undefined &&
      this.#given >= this.#filter.limit;
  }

  /** The filter from the second of the last event on, whose events are met again, and how many rows to ask for. */
  #rest(): [Filter, number | undefined] {
    const { limit, ...filter } = this.#filter;
    const left = limit === undefined || this.#inexact
      ? undefined
      : limit - this.#given + this.#givenOfSecond;
    return this.#last === null
      ? [filter, left]
      : [{ ...filter, until: this.#last.createdAt }, left];
  }

  #take(events: readonly NostrEvent[]): NostrEvent[] {
    const taken: NostrEvent[] = [];
    for (const event of events) {
      if (this.#isDone()) break;
      if (this.#wasGiven(event)) continue;
      if (this.#inexact && !matchesFilter(this.#filter, event)) continue;
      taken.push(event);
      this.#remember(event);
    }
    return taken;
  }

  #wasGiven({ created_at, id }: NostrEvent): boolean {
    return this.#last !== null && created_at === this.#last.createdAt &&
      id <= this.#last.id;
  }

  #remember({ created_at, id }: NostrEvent): void {
    const sameSecond = this.#last?.createdAt === created_at;
    this.#givenOfSecond = sameSecond ? this.#givenOfSecond + 1 : 1;
    this.#last = { createdAt: created_at, id };
    this.#given++;
  }
}

async function requireFullArchive(sql: Sql): Promise<void> {
  const [row] = await sql<{ edition: string }[]>`
    select archive_edition() as edition`;
  if (row!.edition === "full") return;
  throw new LiteArchiveError(
    "Cannot query events as this archive is lite: it keeps no tags, content and signatures",
  );
}

/** postgres.js gives int8 as text, and jsonb parsed. */
interface EventRow {
  readonly created_at: string;
  readonly id: string;
  readonly pubkey: string;
  readonly kind: number;
  readonly tags: string[][];
  readonly content: string;
  readonly sig: string;
  readonly raw: string | null;
}

function asEvent(row: EventRow): NostrEvent {
  if (row.raw !== null) return JSON.parse(row.raw);
  return {
    id: row.id,
    pubkey: row.pubkey,
    created_at: Number(row.created_at),
    kind: row.kind,
    tags: row.tags,
    content: row.content,
    sig: row.sig,
  };
}
