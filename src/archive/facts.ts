/**
 * The queue of facts: what each batch changed, left by every writer in the transaction that changed it.
 *
 * One consumer at a time folds it; followers read along. At every commit, what was folded and what waits is what the tables
 * hold, but for what was dropped above the bound of the queue: that is remembered as to be made again.
 *
 * @module
 */
import type { Database, Sql } from "../core/database/connection/database.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

/** Events that one batch stored (1) or deleted (-1). */
export interface EventFact {
  readonly type: "events";
  readonly sign: 1 | -1;
  /** Unix seconds, as their authors claim. */
  readonly createdAt: readonly number[];
  readonly kinds: readonly number[];
  /** Id and public key of each, 64 bytes. */
  readonly keys: Uint8Array;
}

/** Sightings on one relay that a batch recorded (1) or deleted (-1). Their events are archived, or were. */
export interface SightingFact {
  readonly type: "sightings";
  readonly sign: 1 | -1;
  readonly relayId: number;
  readonly createdAt: readonly number[];
  /** 32 bytes each. */
  readonly ids: Uint8Array;
}

export type Fact = EventFact | SightingFact;

export interface ConsumeOptions {
  /** Facts taken in one transaction at most. A fact is a batch of some hundred events. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Takes the oldest facts and folds them in the same transaction: either all of it is committed, or nothing. One consumer
 * at a time; another waits, and takes over when the first is done or gone. Gives the number of facts, 0 when none wait.
 *
 * @param fold Must not have effects but through `sql`, as it may be run again. The order of facts is that of arrival but for
 * transactions that committed late, so what it does must not depend on it.
 */
export function consumeFacts(
  database: Database,
  { limit, signal }: ConsumeOptions,
  fold: (sql: Sql, facts: readonly Fact[]) => Promise<void>,
): Promise<number> {
  return database.transaction(async (sql) => {
    const facts = await takeFacts(sql, limit);
    if (facts.length > 0) await fold(sql, facts);
    return facts.length;
  }, { kind: "refresh", signal });
}

/** Takes the oldest facts for the transaction that `sql` is in; another that does so waits until it has ended. */
export async function takeFacts(sql: Sql, limit: number): Promise<Fact[]> {
  const rows = await sql<FactRow[]>`
    select relay_id as "relayId", sign, created_at as "createdAt", kinds, keys
    from fact_take(${limit}::int)`;
  return rows.map(asFact);
}

/** A place in the tail of the queue. Opaque; of this server alone. */
export interface FactPosition {
  readonly snapshot: string;
  /** Unix seconds by the server's clock. */
  readonly seenAt: number;
}

export interface FactTail {
  readonly facts: readonly Fact[];
  readonly position: FactPosition;
  /** False when facts may have gone by unseen: the follower was away for more than 30 s, or too much came at once. */
  readonly isWhole: boolean;
}

/** What became visible since `position`, each fact exactly once however late it was committed; without one, from now on. */
export function factTail(
  db: Executor,
  position: FactPosition | null,
  limit: number,
): Promise<FactTail> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<TailRow[]>`
      select snapshot, seen_at as "seenAt", is_whole as "isWhole", facts
      from fact_tail(${position?.snapshot ?? null}::text,
        ${position?.seenAt ?? null}::int8, ${limit}::int)`;
    const { snapshot, seenAt, isWhole, facts } = row!;
    return {
      facts: facts.map(asFact),
      position: { snapshot, seenAt: Number(seenAt) },
      isWhole,
    };
  });
}

/** Facts that one look at the tail gives at most. */
const TAIL_LIMIT = 500;

/** How long a follower that hears of nothing waits before it looks. */
const LOOK_MS = 1_000;

/**
 * Follows the queue from now on, until the signal aborts: at once where the connection can be notified, within a second
 * where it cannot (PgBouncer in transaction mode). Nothing is taken from the consumer.
 */
export async function* followFacts(
  database: Database,
  signal: AbortSignal,
): AsyncGenerator<Omit<FactTail, "position">> {
  await using news = database.listen("bigbrotr_fact", signal);
  let position: FactPosition | null = null;
  while (!signal.aborted) {
    const tail: FactTail = await factTail(database, position, TAIL_LIMIT);
    position = tail.position;
    if (tail.facts.length > 0 || !tail.isWhole) yield tail;
    await news.next(LOOK_MS);
  }
}

/** What waits in the queue, and what is to be made again from the tables. */
export interface FactStatus {
  readonly rows: number;
  /** Roughly, while they wait. */
  readonly bytes: number;
  /** The age of the oldest; null when none waits. */
  readonly oldestSeconds: number | null;
  /** Days of `created_at` whose facts were dropped, and relays. */
  readonly droppedDays: number;
  readonly droppedRelays: number;
}

/** Cheap: reads the queue without what is stored out of line. */
export function factStatus(db: Executor): Promise<FactStatus> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ status: FactStatus }[]>`
      select fact_status() as status`;
    return row!.status;
  });
}

interface FactRow {
  readonly relayId?: number | null;
  readonly sign: 1 | -1;
  /** Separated by commas. */
  readonly createdAt: string;
  readonly kinds?: string | null;
  /** Base64. */
  readonly keys: string;
}

interface TailRow {
  readonly snapshot: string;
  readonly seenAt: string;
  readonly isWhole: boolean;
  readonly facts: readonly FactRow[];
}

function asFact({ relayId, sign, ...packed }: FactRow): Fact {
  const createdAt = packed.createdAt.split(",").map(Number);
  const keys = Uint8Array.fromBase64(packed.keys);
  if (typeof relayId === "number") {
    return { type: "sightings", sign, relayId, createdAt, ids: keys };
  }
  const kinds = packed.kinds?.split(",").map(Number) ?? [];
  return { type: "events", sign, createdAt, kinds, keys };
}
