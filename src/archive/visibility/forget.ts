/**
 * Forgetting: authors and events deleted for good, with their sightings, and refused by every writer ever after. Statistics
 * hear of it by the queue of facts. The ids stay: by them a relay that gives such an event again is known to tell nothing new.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";

/** An author by public key or an event by id, both in hex. */
export interface Forgettable {
  readonly type: "author" | "event";
  readonly key: string;
}

export interface ForgetCounts {
  readonly events: number;
  readonly sightings: number;
}

/** What is archived of an author, or of one event. */
export function countForgettable(
  db: Executor,
  { type, key }: Forgettable,
): Promise<ForgetCounts> {
  const [pubkey, id] = type === "author" ? [key, null] : [null, key];
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ events: string; sightings: string }[]>`
      select events, sightings from forget_count(
        decode(${pubkey}::text, 'hex'), decode(${id}::text, 'hex'))`;
    return { events: Number(row!.events), sightings: Number(row!.sightings) };
  }, { kind: "refresh" });
}

/** Events deleted in one transaction: the writers wait for it. */
const PAGE_SIZE = 100;

/**
 * Refuses them from now on, and deletes what there is, page by page. When the signal aborts the pages that were deleted stay
 * so, and its reason is thrown: what is left of authors is deleted by {@linkcode finishForgetting}.
 */
export async function forget(
  database: Database,
  targets: readonly Forgettable[],
  signal: AbortSignal,
): Promise<ForgetCounts> {
  const keysOf = (type: Forgettable["type"]) =>
    targets.filter((target) => target.type === type).map(({ key }) => key);
  await database.run(
    (sql) =>
      sql`select forget_begin(decode(${keysOf("author").join("")}, 'hex'),
      decode(${keysOf("event").join("")}, 'hex'), 9223372036854775807,
      'operator')`,
    { kind: "cleanup", signal },
  );
  let total: ForgetCounts = NOTHING;
  for (const target of targets) {
    total = sum(total, await deletePages(database, target, signal));
  }
  return total;
}

/** Deletes what is left of authors whose forgetting was interrupted. */
export async function finishForgetting(
  database: Database,
  signal: AbortSignal,
): Promise<ForgetCounts> {
  const left = await database.run((sql) =>
    sql<{ pubkey: string }[]>`select pubkey from forget_unfinished()`
  );
  let total: ForgetCounts = NOTHING;
  for (const { pubkey } of left) {
    const target = { type: "author", key: pubkey } as const;
    total = sum(total, await deletePages(database, target, signal));
  }
  return total;
}

/**
 * Forgets the authors who asked to vanish from all relays, or from `ownUrl` (NIP-62), up to when they asked; the requests
 * themselves stay, to refuse by. Also finishes what was interrupted.
 */
export async function forgetVanished(
  database: Database,
  ownUrl: string | null,
  signal: AbortSignal,
): Promise<ForgetCounts & { readonly authors: number }> {
  const [row] = await database.run((sql) =>
    sql<{ authors: number }[]>`
      select forget_vanished(${ownUrl}::text) as authors`, {
    kind: "cleanup",
    signal,
  });
  return { ...await finishForgetting(database, signal), authors: row!.authors };
}

const NOTHING: ForgetCounts = { events: 0, sightings: 0 };

function sum(a: ForgetCounts, b: ForgetCounts): ForgetCounts {
  return { events: a.events + b.events, sightings: a.sightings + b.sightings };
}

async function deletePages(
  database: Database,
  { type, key }: Forgettable,
  signal: AbortSignal,
): Promise<ForgetCounts> {
  const [pubkey, id] = type === "author" ? [key, null] : [null, key];
  let total: ForgetCounts = NOTHING;
  for (;;) {
    const [page] = await database.run((sql) =>
      sql<ForgetCounts[]>`
        select events, sightings from forget_page(
          decode(${pubkey}::text, 'hex'), decode(${id}::text, 'hex'),
          ${PAGE_SIZE}::int)`, { kind: "cleanup", signal });
    total = sum(total, page!);
    if (page!.events < PAGE_SIZE) return total;
  }
}

/** The kind of thing a key is in this archive: events by their ids, authors by what they wrote; null for neither. */
export function whatIsArchived(
  db: Executor,
  key: string,
): Promise<Forgettable["type"] | null> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ type: Forgettable["type"] | null }[]>`
      select forget_type(decode(${key}, 'hex')) as type`;
    return row!.type;
  });
}
