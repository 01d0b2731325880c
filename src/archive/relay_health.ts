/**
 * The health of relays: of all at a glance, and of one in detail.
 *
 * @module
 */
import { type Network, NETWORKS } from "../models/network.ts";
import type { Window } from "../models/window.ts";
import {
  type Executor,
  onConnection,
} from "../core/database/connection/executor.ts";
import type { Strength, StrengthShares } from "./sync/sync_coverage.ts";

/** A count of relays, and the first few of them. */
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

/** Changes among relays, the latest first. */
export interface RelayHealth {
  /** Unix seconds: changes since then. */
  readonly since: number;
  /** Offline before. */
  readonly cameOnline: NamedRelays;
  /** Online before. */
  readonly wentOffline: NamedRelays;
  /** New among the relays. */
  readonly discovered: NamedRelays;
  /** The median of the relays that were online within 30 days. */
  readonly medianUptime: Uptime;
}

/** Everything known of one relay. All moments are Unix seconds. */
export interface RelayReport {
  readonly url: string;
  readonly network: Network;
  readonly discoveredAt: number;
  /** Null when it was never checked. */
  readonly state: RelayState | null;
  /** Null when it was never checked. */
  readonly uptime: Uptime | null;
  /** Capabilities for strangers, and demands; unknown ones are missing. */
  readonly capabilities: readonly {
    /** As in the table `relay_capability`: read, write, auth, payment, writes, pow. */
    readonly capability: string;
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
  /** How the synchronizer stands with it; null when it never took it up. */
  readonly sync: {
    /** The process that works on it now; null for none. */
    readonly holder: string | null;
    /** Since when it is live; null when it is not. */
    readonly liveSince: number | null;
    /** The state of its walk, at most ten seconds old; null when none is under way, or it has only begun. */
    readonly progress: {
      /** The state of each range, newest first. */
      readonly doing: readonly string[];
      /** The second that was last asked down from; null for none yet. */
      readonly until: number | null;
    } | null;
    readonly dueAt: number;
    /** Failed syncs in a row. */
    readonly failures: number;
  } | null;
  /** The last five, the latest first. */
  readonly contradictions: readonly KeptContradiction[];
  /** Coverage, one entry a filter. */
  readonly coverage: readonly WalkReport[];
}

/** The coverage of one filter of a relay, with its evidence. */
export interface WalkReport {
  readonly filter: unknown;
  /** The newest second that is proven complete; null without one. */
  readonly until: number | null;
  /** How many windows are proven complete. */
  readonly windows: number;
  readonly strengths: StrengthShares;
  /** The newest ten windows of one strength each, the newest first. */
  readonly proven: readonly (Window & { readonly strength: Strength })[];
  readonly gaps: number;
  readonly gapReasons: Readonly<Record<string, number>>;
  /** Events that the relay lists and gives to nobody. */
  readonly withheld: number;
  /** Null when nothing was ever asked. */
  readonly audit: {
    readonly asked: number;
    readonly confirmed: number;
    readonly contradicted: number;
    readonly retractions: number;
    readonly retractedSeconds: number;
    readonly lastAskedAt: number | null;
    readonly lastContradictedAt: number | null;
  } | null;
}

/** An answer that contradicted a proof. */
export interface KeptContradiction extends Window {
  /** When it was found. */
  readonly at: number;
  /** Null when nothing else is known of the filter. */
  readonly filter: unknown;
  readonly kind: string;
  readonly question: string;
  /** Up to 10 events that should have been known or shown. */
  readonly eventIds: readonly string[];
  /** Coverage that was taken back because of it. */
  readonly retractedSeconds: number;
}

export interface RelayState {
  readonly online: boolean;
  /** The first of the checks in a row that found it so. */
  readonly since: number;
  /** How many checks those are. */
  readonly streak: number;
  readonly lastCheckedAt: number;
  readonly lastOnlineAt: number | null;
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

/** Changes since a moment, with up to `names` names each. Takes about a second with ten thousand relays. */
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
