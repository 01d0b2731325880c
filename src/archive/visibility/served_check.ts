/**
 * Proof by sample that what is served is what it should be: of some authors, the served view against the naive model.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import type { NostrEvent } from "../../models/event.ts";
import { EventReader } from "../reading/event_reader.ts";
import { PUBLIC_VIEW } from "./served_view.ts";
import { servedIds } from "./served_model.ts";

export interface ServedCheckOptions {
  /** Authors drawn at random. */
  readonly authors: number;
  readonly signal: AbortSignal;
}

/** An event that is served and must not be, or the other way round. */
export interface ServedFault {
  readonly id: string;
  readonly served: boolean;
}

/** Authors with more events are left out: the model compares each with each. */
const MAX_EVENTS = 1_000;

/**
 * Faults of authors drawn at random; empty when there are none. In a full archive only. An event that a request hides which
 * itself is gone is none.
 */
export async function checkServed(
  database: Database,
  { authors, signal }: ServedCheckOptions,
): Promise<ServedFault[]> {
  const faults: ServedFault[] = [];
  for (const author of await drawAuthors(database, authors)) {
    faults.push(...await faultsOf(database, author, signal));
  }
  return faults;
}

function drawAuthors(database: Database, count: number): Promise<string[]> {
  return database.run(async (sql) => {
    const rows = await sql<{ pubkey: string }[]>`
      select pubkey from event_author_sample(${count}::int)`;
    return rows.map(({ pubkey }) => pubkey);
  });
}

async function faultsOf(
  database: Database,
  author: string,
  signal: AbortSignal,
): Promise<ServedFault[]> {
  // What is served is asked first and again: it changes while events come.
  const served = await idsServed(database, author, signal);
  const events = await archivedOf(database, author, signal);
  const again = await idsServed(database, author, signal);
  if (served === null || events === null || again === null) return [];
  const requests = await requestsBeside(database, events, signal);
  const now = Math.floor(Date.now() / 1_000);
  const wanted = servedIds([...events, ...requests], { ...PUBLIC_VIEW, now });
  const differing = events.filter(({ id }) =>
    served.has(id) === again.has(id) && served.has(id) !== wanted.has(id)
  );
  const faults: ServedFault[] = [];
  for (const { id } of differing) {
    if (served.has(id)) faults.push({ id, served: true });
    else if (!await isRequested(database, id)) {
      faults.push({ id, served: false });
    }
  }
  return faults;
}

async function idsServed(
  database: Database,
  author: string,
  signal: AbortSignal,
): Promise<Set<string> | null> {
  const reader = new EventReader(database, { served: PUBLIC_VIEW });
  const ids = new Set<string>();
  const filter = { authors: [author], limit: MAX_EVENTS + 1 };
  for await (const events of reader.events([filter], signal)) {
    for (const { id } of events) ids.add(id);
  }
  return ids.size > MAX_EVENTS ? null : ids;
}

/** Null when there are too many. */
async function archivedOf(
  database: Database,
  author: string,
  signal: AbortSignal,
): Promise<NostrEvent[] | null> {
  const reader = new EventReader(database);
  const filter = { authors: [author], limit: MAX_EVENTS + 1 };
  const chunks = await Array.fromAsync(reader.events([filter], signal));
  const events = chunks.flat();
  return events.length > MAX_EVENTS ? null : events;
}

/** Requests of those who got a gift wrap of the author. */
async function requestsBeside(
  database: Database,
  events: readonly NostrEvent[],
  signal: AbortSignal,
): Promise<NostrEvent[]> {
  const wraps = events.filter(({ kind }) => kind === 1059);
  if (wraps.length === 0) return [];
  const ids = wraps.map(({ id }) => id);
  const reader = new EventReader(database);
  const filter = { kinds: [5], "#e": ids };
  const chunks = await Array.fromAsync(reader.events([filter], signal));
  return chunks.flat();
}

/** Whether somebody asked for it whose request may not be archived any more, or was too late for the model. */
function isRequested(database: Database, id: string): Promise<boolean> {
  return database.run(async (sql) => {
    const [row] = await sql<{ requested: boolean }[]>`
      select event_is_requested(decode(${id}, 'hex')) as requested`;
    return row!.requested;
  });
}
