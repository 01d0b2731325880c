/**
 * The health of relays: of all at a glance, and of one in detail.
 *
 * @module
 */
import { type Network, NETWORKS } from "../models/network.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";

/** How many relays, and the first few of them. */
export interface NamedRelays {
  readonly count: number;
  readonly urls: readonly string[];
}

/** Shares of the observed time, 0 to 1; null where nobody looked. */
export interface Uptime {
  readonly "24h": number | null;
  readonly "7d": number | null;
  readonly "30d": number | null;
}

/** What changed among relays, the latest first. */
export interface RelayHealth {
  /** Unix seconds: changes since then. */
  readonly since: number;
  /** Offline before. */
  readonly cameOnline: NamedRelays;
  /** Online before. */
  readonly wentOffline: NamedRelays;
  /** New among the relays. */
  readonly discovered: NamedRelays;
  /** Of the relays that were online within 30 days. */
  readonly medianUptime: Uptime;
}

/** What is known of one relay. All moments are Unix seconds. */
export interface RelayReport {
  readonly url: string;
  readonly network: Network;
  readonly discoveredAt: number;
  /** Null when it was never checked. */
  readonly state: RelayState | null;
  /** Null when it was never checked. */
  readonly uptime: Uptime | null;
  /** What it lets anybody do and what it demands; what nobody knows is not there. */
  readonly abilities: readonly {
    /** As in the table `relay_ability`: read, write, auth, payment, writes, pow. */
    readonly ability: string;
    readonly value: boolean;
    readonly judgedBy: string;
    readonly since: number;
  }[];
  /** The latest first. */
  readonly outages: readonly Outage[];
  readonly documents: readonly {
    readonly type: string;
    readonly generatedAt: number;
  }[];
  /** One entry a filter. */
  readonly coverage: readonly {
    readonly filter: unknown;
    /** The newest second that is proven complete; null without one. */
    readonly until: number | null;
    /** Of time that are proven complete. */
    readonly stretches: number;
    readonly gaps: number;
  }[];
}

export interface RelayState {
  readonly online: boolean;
  /** The first of the checks in a row that found it so. */
  readonly since: number;
  /** How many those are. */
  readonly streak: number;
  readonly lastCheckedAt: number;
  readonly lastOnlineAt: number | null;
  readonly firstCheckedAt: number;
  /** The numbers of the last check. */
  readonly openMs: number | null;
  readonly readMs: number | null;
  readonly writeMs: number | null;
  readonly failure: string | null;
}

export interface Outage {
  /** The first failing check. */
  readonly since: number;
  /** The first good one after it; null while it lasts. */
  readonly until: number | null;
  readonly seconds: number;
  /** How many failed. */
  readonly checks: number;
  readonly cause: string | null;
}

export interface StateCount {
  readonly online: number;
  readonly offline: number;
  /** Offline now, and online once. */
  readonly outages: number;
}

/** What changed since a moment, with up to `names` names each. Takes about a second with ten thousand relays. */
export function relayHealth(
  db: Executor,
  { since, names }: { readonly since: number; readonly names: number },
): Promise<RelayHealth> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ health: RelayHealth }[]>`
      select pipeline_health(${since}::int8, ${names}::int) as health`;
    return row!.health;
  });
}

/** All about the relay of a normalised URL, with its last outages; null when there is no such relay. */
export function relayReport(
  db: Executor,
  url: string,
  { outages }: { readonly outages: number },
): Promise<RelayReport | null> {
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ report: RelayReport | null }[]>`
      select relay_report(${url}, ${outages}::int) as report`;
    return row!.report;
  });
}

/** How many relays of each network are online and offline by their last check. */
export function countRelayStates(
  db: Executor,
): Promise<ReadonlyMap<Network, StateCount>> {
  return onConnection(db, async (sql) => {
    const rows = await sql<({ network: Network } & StateCount)[]>`
      select network, online, offline, outages from relay_state_count()`;
    return new Map(NETWORKS.map((network) => {
      const row = rows.find((row) => row.network === network);
      const { online = 0, offline = 0, outages = 0 } = row ?? {};
      return [network, { online, offline, outages }];
    }));
  });
}
