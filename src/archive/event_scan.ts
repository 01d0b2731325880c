/**
 * The archive in the order in which events arrived, read in pages at the cost of what is read.
 *
 * The BRIN index over `seen_at` finds a window of time but gives no order, so a page is a window short enough
 * to be read whole. Only a single second that holds more than a page (an import) is read in order of
 * `(created_at, id)`, the event's key.
 *
 * @module
 */
import type { MentioningEvent } from "../models/relay_hints.ts";
import type { Database, Sql } from "../core/database/connection/database.ts";

/** Everything before it, in the order of `(seen_at, created_at, id)`, has been read. */
export interface ArchivePosition {
  /** Unix seconds. */
  readonly seenAt: number;
  /** -1 at the beginning of a second. */
  readonly createdAt: number;
  /** Hex; empty at the beginning of a second. */
  readonly id: string;
}

export interface ArchivePage<T> {
  /** Events read. */
  readonly events: number;
  /** The findings of the page. */
  readonly found: readonly T[];
  /** The position at which the next page begins; null when this was the last. */
  readonly next: ArchivePosition | null;
}

export interface ScanOptions<T> {
  readonly from: ArchivePosition;
  /** Unix seconds, included. */
  readonly until: number;
  /** Events in a page at most. */
  readonly pageSize: number;
  /** Takes from an event what is wanted; nothing else of it is kept. Tags and content that name no relay are left out. */
  readonly find: (event: MentioningEvent) => readonly T[];
  readonly signal: AbortSignal;
}

/** The beginning of a second. */
export function startOfSecond(seenAt: number): ArchivePosition {
  return { seenAt, createdAt: -1, id: "" };
}

/** Whether events have the tags and content that could mention something: a `lite` archive keeps neither. */
export function isSearchable(database: Database): Promise<boolean> {
  return database.run(async (sql) => {
    const [row] = await sql<{ edition: string }[]>`
      select archive_edition() as edition`;
    return row?.edition === "full";
  });
}

/**
 * The pages from a position on, until the last or until `signal` aborts.
 * A caller that leaves the loop can go on later from the `next` of the last page.
 */
export async function* scanArchive<T>(
  database: Database,
  options: ScanOptions<T>,
): AsyncGenerator<ArchivePage<T>> {
  const { from, until, signal } = options;
  let position: ArchivePosition | null = from;
  let seconds = until - from.seenAt + 1;
  while (position !== null && position.seenAt <= until && !signal.aborted) {
    const window: ScanWindow<T> = { ...options, position, seconds };
    const page: PageRead<T> = await database.transaction(
      (sql) => readPage(sql, window),
      { kind: "batch", signal },
    );
    // Long windows without any event are crossed in a few silent steps.
    if (page.events > 0 || page.next === null) yield page;
    position = page.next;
    seconds = page.seconds;
  }
}

interface ScanWindow<T> extends ScanOptions<T> {
  readonly position: ArchivePosition;
  /** How long a window is tried first. */
  readonly seconds: number;
}

interface PageRead<T> extends ArchivePage<T> {
  /** How long a window to try next. */
  readonly seconds: number;
}

async function readPage<T>(
  sql: Sql,
  window: ScanWindow<T>,
): Promise<PageRead<T>> {
  const { position, until, pageSize, find } = window;
  if (position.createdAt >= 0) return await readWithinSecond(sql, window);
  const since = position.seenAt;
  let seconds = Math.min(window.seconds, until - since + 1);
  while (true) {
    const end = since + seconds - 1;
    const rows = selectSeconds(sql, { since, end, limit: pageSize + 1 });
    const { events, found } = await collect(rows, find);
    if (events <= pageSize) {
      const next = end >= until ? null : startOfSecond(end + 1);
      // Half a page or less: the next window can be longer.
      const longer = events * 2 > pageSize ? seconds : seconds * 2;
      return { events, found, next, seconds: longer };
    }
    if (seconds === 1) return await readWithinSecond(sql, window);
    seconds = Math.ceil(seconds / 2);
  }
}

/** A page of one second's events, in the order of their key. */
async function readWithinSecond<T>(
  sql: Sql,
  { position, until, pageSize, find }: ScanWindow<T>,
): Promise<PageRead<T>> {
  const { events, found, last } = await collect(
    selectWithinSecond(sql, { ...position, limit: pageSize }),
    find,
  );
  const { seenAt } = position;
  const after = seenAt >= until ? null : startOfSecond(seenAt + 1);
  const next = events === pageSize && last !== undefined
    ? { seenAt, createdAt: Number(last.created_at), id: last.id }
    : after;
  return { events, found, next, seconds: 1 };
}

/** Rows in hand at the same time: an event can be a megabyte. */
const ROWS_IN_HAND = 100;

/** Up to `limit` events that arrived from `since` to `end`, both included, in no order. */
function selectSeconds(
  sql: Sql,
  { since, end, limit }: Readonly<Record<"since" | "end" | "limit", number>>,
): AsyncIterable<readonly MentionRow[]> {
  return sql<MentionRow[]>`
    select created_at, encode(id, 'hex') as id, kind,
      encode(pubkey, 'hex') as pubkey,
      case when tags::text ilike '%ws%://%' then tags end as tags,
      case when kind in (2, 3) then content end as content
    from event
    where seen_at between ${since}::int8 and ${end}::int8
    limit ${limit}::int`.cursor(ROWS_IN_HAND);
}

/** Up to `limit` events of one second behind a key, in the order of their key. */
function selectWithinSecond(
  sql: Sql,
  { seenAt, createdAt, id, limit }: ArchivePosition & { limit: number },
): AsyncIterable<readonly MentionRow[]> {
  return sql<MentionRow[]>`
    select created_at, encode(id, 'hex') as id, kind,
      encode(pubkey, 'hex') as pubkey,
      case when tags::text ilike '%ws%://%' then tags end as tags,
      case when kind in (2, 3) then content end as content
    from event
    where seen_at = ${seenAt}::int8
      and (created_at, id) > (${createdAt}::int8, decode(${id}, 'hex'))
    order by created_at, id limit ${limit}::int`.cursor(ROWS_IN_HAND);
}

async function collect<T>(
  chunks: AsyncIterable<readonly MentionRow[]>,
  find: (event: MentioningEvent) => readonly T[],
) {
  const found: T[] = [];
  let events = 0;
  let last: MentionRow | undefined;
  for await (const rows of chunks) {
    for (const row of rows) found.push(...find(toEvent(row)));
    events += rows.length;
    last = rows.at(-1);
  }
  return { events, found, last };
}

function toEvent({ pubkey, kind, tags, content }: MentionRow): MentioningEvent {
  return { pubkey, kind, tags: tags ?? [], content: content ?? "" };
}

/** postgres.js gives int8 as text. */
interface MentionRow {
  readonly created_at: string;
  readonly id: string;
  readonly kind: number;
  readonly pubkey: string;
  readonly tags: readonly (readonly string[])[] | null;
  readonly content: string | null;
}
