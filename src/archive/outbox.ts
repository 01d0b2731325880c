/**
 * The outbox: signed events that still have to be sent, relay by relay, and what each relay answered.
 *
 * Only the newest event of each address (sender, kind, `d`) is held. Relays are claimed by one process at a time;
 * the claim of a dead one expires. Clocks are the server's.
 *
 * @module
 */
import type { NostrEvent } from "../models/event.ts";
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

export interface OutboxEvent {
  readonly event: NostrEvent;
  /** Its `d` tag when it is addressable, empty when it is replaceable, its id when it is neither. */
  readonly d: string;
  /** Unix seconds by which its age is judged; that of the event itself, unless it tells a false one (NIP-59). */
  readonly createdAt: number;
  /** Unix seconds after which nobody tries to send it any more. */
  readonly expiresAt: number;
  /** sha256 in hex of what makes it differ from the one before. */
  readonly fingerprint: string;
  /** Normalised URLs of the relays it is meant for. */
  readonly relays: readonly string[];
}

export interface OutboxKey {
  readonly kind: number;
  readonly d: string;
}

/** The last event of an address, sent or not. */
export interface LatestInOutbox extends OutboxKey {
  readonly fingerprint: string;
  /** Unix seconds. */
  readonly createdAt: number;
}

/** A relay that is ours to send to, and what is due there. */
export interface OutboxRound {
  readonly targetId: number;
  readonly relayUrl: string;
  /** Rounds in a row in which it could not be used. */
  readonly failures: number;
  readonly deliveries: readonly Delivery[];
}

export interface Delivery {
  readonly outboxId: string;
  readonly eventId: string;
  readonly kind: number;
  /** How often it was tried before. */
  readonly attempts: number;
  /** JSON, as it is sent. */
  readonly event: string;
}

export type DeliveryResult = "accepted" | "refused" | "failed";

export interface SettledDelivery {
  readonly outboxId: string;
  readonly eventId: string;
  /** Null: it is tried again after `nextTryInSeconds`. */
  readonly result: DeliveryResult | null;
  /** The reply of the relay, or why it could not be asked. */
  readonly reason: string | null;
  readonly attempts: number;
  /** Whole seconds from now. */
  readonly nextTryInSeconds: number;
}

export interface OutboxCounts {
  readonly pending: number;
  /** Age of the oldest that is pending; null when none is. */
  readonly oldestSeconds: number | null;
  readonly accepted: number;
  readonly refused: number;
  readonly failed: number;
  readonly expired: number;
}

/**
 * Takes events to be sent by `sender` (hex). A newer one supersedes that of the same address; one that is not newer is
 * left out. Gives the number taken.
 */
export function addToOutbox(
  db: Executor,
  sender: string,
  events: readonly OutboxEvent[],
): Promise<number> {
  if (events.length === 0) return Promise.resolve(0);
  const rows = storableJson(events.map(({ event, ...rest }) => ({
    ...rest,
    eventId: event.id,
    kind: event.kind,
    event: JSON.stringify(event),
  })));
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ taken: number }[]>`
      select outbox_add(${sender}::text, ${rows}::text::jsonb) as taken`;
    return row!.taken;
  }, { kind: "batch" });
}

/** The newest of each address, for comparison; addresses that are not there are left out. */
export function latestInOutbox(
  db: Executor,
  sender: string,
  keys: readonly OutboxKey[],
): Promise<LatestInOutbox[]> {
  if (keys.length === 0) return Promise.resolve([]);
  const json = storableJson(keys);
  return onConnection(db, async (sql) => {
    const rows = await sql<LatestRow[]>`
      select kind, d, fingerprint, created_at
      from outbox_latest(${sender}::text, ${json}::text::jsonb)`;
    return rows.map(({ created_at, ...row }) => ({
      ...row,
      createdAt: Number(created_at),
    }));
  }, { kind: "batch" });
}

/** Claims the relay that is longest due; null when there is nothing to send. */
export function claimOutbox(
  db: Executor,
  sender: string,
  request: {
    /** Names this process among all that share the outbox. */
    readonly holder: string;
    readonly leaseSeconds: number;
    /** Events at most. */
    readonly limit: number;
    /** Host and port, as they stand in URLs, of relays that cannot be dialled now. Default: none. */
    readonly exceptAuthorities?: readonly string[];
  },
): Promise<OutboxRound | null> {
  const json = storableJson(request);
  return onConnection(db, async (sql) => {
    const rows = await sql<ClaimRow[]>`
      select target_id, relay_url, failures, outbox_id, event_id, kind, attempts, event
      from outbox_claim(${sender}::text, ${json}::text::jsonb)`;
    const [first] = rows;
    if (first === undefined) return null;
    return {
      targetId: first.target_id,
      relayUrl: first.relay_url,
      failures: first.failures,
      deliveries: rows.map((row) => ({
        outboxId: row.outbox_id,
        eventId: row.event_id,
        kind: row.kind,
        attempts: row.attempts,
        event: row.event,
      })),
    };
  }, { kind: "batch" });
}

/** Records the outcomes of a round of deliveries and gives the claim back; gives how many were recorded. */
export function settleOutbox(
  db: Executor,
  round: {
    readonly targetId: number;
    readonly holder: string;
    readonly failures: number;
    /** Whole seconds until the relay may be dialled again. */
    readonly nextTryInSeconds: number;
    readonly results: readonly SettledDelivery[];
  },
): Promise<number> {
  const json = storableJson(round);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ settled: number }[]>`
      select outbox_settle(${json}::text::jsonb) as settled`;
    return row!.settled;
  }, { kind: "batch" });
}

/** Ends deliveries whose time is over and deletes up to `limit` events whose time has been over for so long. */
export function expireOutbox(
  db: Executor,
  { olderThanSeconds, limit }: {
    readonly olderThanSeconds: number;
    readonly limit: number;
  },
): Promise<{ readonly expired: number; readonly deleted: number }> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ expired: number; deleted: number }[]>`
      select expired, deleted from outbox_expire(
        unix_now() - ${olderThanSeconds}::int8, ${limit}::int)`;
    return { expired: row!.expired, deleted: row!.deleted };
  }, { kind: "cleanup" });
}

/** How much waits, since when, and how the rest ended: of one sender, or of all (null). */
export function countOutbox(
  db: Executor,
  sender: string | null,
): Promise<OutboxCounts> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ counts: OutboxCounts }[]>`
      select outbox_count(${sender}::text) as counts`;
    return row!.counts;
  });
}

/** postgres.js gives int8 as text. */
interface LatestRow {
  readonly kind: number;
  readonly d: string;
  readonly fingerprint: string;
  readonly created_at: string;
}

interface ClaimRow {
  readonly target_id: number;
  readonly relay_url: string;
  readonly failures: number;
  readonly outbox_id: string;
  readonly event_id: string;
  readonly kind: number;
  readonly attempts: number;
  readonly event: string;
}
