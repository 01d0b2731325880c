/**
 * Leases: which process works on which relay, and when each relay is due again.
 *
 * A relay is leased to one holder of a service at a time, on however many machines; the lease of a dead holder
 * expires. All of it goes by the database's clock: waits are handed over in seconds, never as moments of ours.
 *
 * @module
 */
import type { Database } from "../core/database/connection/database.ts";
import type { Logger } from "../core/log/logger.ts";
import type { Crowding } from "./candidates.ts";
import type { Network } from "../models/network.ts";
import { storableJson } from "../models/storable_text.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";
import { clockFrom } from "./clock.ts";

export interface LeasedRelay {
  readonly relayId: number;
  readonly url: string;
  readonly network: Network;
  /** Failures in a row, as last given to `releaseRelays`; 0 for a relay that was never leased. */
  readonly failures: number;
  /** Unix seconds at which it was due; 0 for a relay that was never leased. */
  readonly dueAt: number;
  /** As last given to `releaseRelays`; null when it never was. */
  readonly intervalSeconds: number | null;
  /** New events of a visit lately: a mean in which the last one counts half. */
  readonly yield: number;
  /** The memory that the last holder left; `{}` for a relay that was never leased. */
  readonly memory: unknown;
  /** Unix seconds by the database's clock, now: what `dueAt` and the memory are compared with. */
  readonly now: () => number;
}

export interface LeaseRequest extends Crowding {
  readonly service: string;
  /** Names this process among all of them (host, pid, random). */
  readonly holder: string;
  readonly networks: readonly Network[];
  readonly limit: number;
  readonly leaseSeconds: number;
  /** Only these relays. */
  readonly urls?: readonly string[] | undefined;
  /** Not these. */
  readonly exceptUrls?: readonly string[] | undefined;
  /** Only relays that the last check found online; this and the next do not concern relays named by `urls`. */
  readonly onlineOnly?: boolean | undefined;
  /** Only relays that were checked within so many seconds. */
  readonly checkedWithinSeconds?: number | undefined;
  /** The longest wait that `releaseRelays` is ever given. What is due later only a wrong clock can have set: it is due. */
  readonly longestWaitSeconds?: number | undefined;
}

/** Relays that are to be due sooner. */
export interface HastenedRelays {
  readonly service: string;
  /** These, unless they wait because they failed. */
  readonly urls?: readonly string[];
  /** Those of these hosts, in the form `HostList` takes, even so. */
  readonly hosts?: readonly string[];
  /** They are due within so many seconds. */
  readonly withinSeconds: number;
}

export interface ReleasedRelay {
  readonly relayId: number;
  /** Whole seconds from now; left out: due as it was before. */
  readonly nextDueInSeconds?: number | undefined;
  /** Failures in a row, kept for the next holder's backoff; left out: as before. */
  readonly failures?: number | undefined;
  /** Seconds between visits; left out: as before. When many are due, the most overdue by it come first. */
  readonly intervalSeconds?: number | undefined;
  /** New events that this visit brought; left out: the visit does not count. */
  readonly newEvents?: number | undefined;
  /** An object for the next holder; left out: what was there stays. */
  readonly memory?: unknown;
}

/** Makes relays due sooner than they were given back for; gives how many. */
export function hastenRelays(
  db: Executor,
  { service, ...relays }: HastenedRelays,
): Promise<number> {
  const request = storableJson(relays);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ hastened: number }[]>`
      select relay_lease_hasten(${service}, ${request}::text::jsonb) as hastened`;
    return row!.hastened;
  }, { kind: "batch" });
}

/** Makes the relays of hosts due now, as they may be visited again; what goes wrong is logged. */
export async function visitAgain(
  { database, log }: {
    readonly database: Database;
    readonly log: Logger;
  },
  service: string,
  hosts: readonly string[],
): Promise<void> {
  try {
    await hastenRelays(database, { service, hosts, withinSeconds: 0 });
  } catch (error) {
    log.warn("relays that may be visited again are not made due", { error });
  }
}

/** Leases relays that are due and free, the longest due (by the measure of their own interval) first. */
export function leaseRelays(
  db: Executor,
  request: LeaseRequest,
): Promise<LeasedRelay[]> {
  const json = storableJson(request);
  return onConnection(db, async (sql) => {
    const rows = await sql<LeaseRow[]>`
      select relay_id, url, network, failures, due_at, interval_seconds, yield,
        memory, unix_now() as now
      from relay_lease_take(${json}::text::jsonb)`;
    const now = clockFrom(Number(rows[0]?.now));
    return rows.map((row) => ({
      relayId: row.relay_id,
      url: row.url,
      network: row.network,
      failures: row.failures,
      dueAt: Number(row.due_at),
      memory: row.memory,
      intervalSeconds: row.interval_seconds,
      yield: row.yield,
      now,
    }));
  }, { kind: "batch" });
}

/** Extends leases; gives the ids still held. One that is missing belongs to somebody else by now. */
export function renewLeases(
  db: Executor,
  { service, holder, relayIds, leaseSeconds }: {
    readonly service: string;
    readonly holder: string;
    readonly relayIds: readonly number[];
    readonly leaseSeconds: number;
  },
): Promise<number[]> {
  if (relayIds.length === 0) return Promise.resolve([]);
  const ids = storableJson(relayIds);
  return onConnection(db, async (sql) => {
    const rows = await sql<{ relay_id: number }[]>`
      select relay_id from relay_lease_renew(${service}::text,
        ${holder}::text, ${ids}::text::jsonb, ${leaseSeconds}::int)`;
    return rows.map((row) => row.relay_id);
  }, { kind: "batch" });
}

/** Records that the holder of a lease is live with the relay, until it gives the lease back. */
export function recordLive(
  db: Executor,
  { service, holder, relayId }: {
    readonly service: string;
    readonly holder: string;
    readonly relayId: number;
  },
): Promise<void> {
  return onConnection(db, async (sql) => {
    await sql`select relay_lease_go_live(${service}::text, ${holder}::text,
      ${relayId}::int)`;
  }, { kind: "batch" });
}

/** The state of the walk of a leased relay. */
export interface WalkProgress {
  readonly relayId: number;
  /** The state of each range, newest first, in one word each. */
  readonly doing: readonly string[];
  /** The second the last request asked down from; null before the first. */
  readonly until: number | null;
}

/** Records what the walks of leased relays do, for `status` only: until the leases are given back or taken over. */
export function recordProgress(
  db: Executor,
  { service, holder, walks }: {
    readonly service: string;
    readonly holder: string;
    readonly walks: readonly WalkProgress[];
  },
): Promise<void> {
  if (walks.length === 0) return Promise.resolve();
  const rows = storableJson(walks);
  return onConnection(db, async (sql) => {
    await sql`select relay_lease_report(${service}::text, ${holder}::text,
      ${rows}::text::jsonb)`;
  }, { kind: "batch" });
}

/** Gives leases back and sets when the relays are due again; gives the number that were still held. */
export function releaseRelays(
  db: Executor,
  { service, holder, relays }: {
    readonly service: string;
    readonly holder: string;
    readonly relays: readonly ReleasedRelay[];
  },
): Promise<number> {
  if (relays.length === 0) return Promise.resolve(0);
  const rows = storableJson(relays);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ released: number }[]>`
      select relay_lease_release(${service}::text, ${holder}::text,
        ${rows}::text::jsonb) as released`;
    return row!.released;
  }, { kind: "batch" });
}

/** postgres.js gives int8 as text. */
interface LeaseRow {
  readonly relay_id: number;
  readonly url: string;
  readonly network: Network;
  readonly failures: number;
  readonly due_at: string;
  readonly memory: unknown;
  readonly interval_seconds: number | null;
  readonly yield: number;
  readonly now: string;
}
