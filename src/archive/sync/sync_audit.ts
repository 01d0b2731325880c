/**
 * Audits: what was asked in proven time, what contradicted it, and what coverage was taken back because of that.
 *
 * @module
 */
import { storableJson } from "../../models/storable_text.ts";
import type { Window } from "../../models/window.ts";
import {
  type Executor,
  onConnection,
} from "../../core/database/connection/executor.ts";
import type { Proof } from "./sync_coverage.ts";

/** An answer that contradicts a proof: the window that was proven, and what should have been known or shown. */
export interface NewContradiction extends Window {
  readonly filterHash: string;
  /** Short and from a small set: it is counted. */
  readonly kind: string;
  /** The question that showed it, in one word. */
  readonly question: string;
  /** The first 10 are kept. */
  readonly eventIds: readonly string[];
}

/** Takes back what is covered of a window. */
export interface WindowRetraction extends Window {
  readonly filterHash: string;
  readonly cause: NewContradiction;
}

/** Takes back, in all walks of the relay, what rests on one of these methods. */
export interface MethodRetraction {
  readonly filterHash: null;
  readonly methods: readonly Proof[];
  readonly cause: NewContradiction;
}

/** The audit of a session, and what it takes back. */
export interface AuditRecord {
  readonly relayId: number;
  /** The filter that the questions were asked of; a contradiction names its own. */
  readonly filterHash: string;
  readonly audit: {
    readonly asked: number;
    readonly confirmed: number;
    readonly contradictions: readonly NewContradiction[];
  };
  readonly retractions: readonly (WindowRetraction | MethodRetraction)[];
}

/** The effect of recording an audit. */
export interface AuditOutcome {
  /** Contradictions recorded, causes of retractions included. */
  readonly contradicted: number;
  /** Coverage taken back, in seconds of all walks together. */
  readonly retractedSeconds: number;
  /** How many retractions took something back, by the kind of contradiction. */
  readonly retractions: Readonly<Record<string, number>>;
}

/**
 * Counts what was asked and found, records the contradictions, and takes back coverage, which becomes gaps with the
 * reason `contradicted`: all in one transaction. Of a relay the newest 100 contradictions are kept.
 */
export function recordAudit(
  db: Executor,
  { relayId, filterHash, audit, retractions }: AuditRecord,
): Promise<AuditOutcome> {
  const { asked, confirmed } = audit;
  const contradictions = storableJson(audit.contradictions);
  const taken = storableJson(retractions);
  return onConnection(db, async (sql) => {
    const [row] = await sql<{ outcome: AuditOutcome }[]>`
      select sync_audit_record(${relayId}::int, ${filterHash}::text,
        ${asked}::int, ${confirmed}::int, ${contradictions}::text::jsonb,
        ${taken}::text::jsonb) as outcome`;
    return row!.outcome;
  }, { kind: "batch" });
}

/** The totals of all audits. */
export interface AuditStatus {
  readonly asked: number;
  readonly confirmed: number;
  readonly contradicted: number;
  /** How often coverage was taken back. */
  readonly retractions: number;
  readonly retractedSeconds: number;
  /** Relays that were ever contradicted. */
  readonly caughtRelays: number;
  /** Windows that were contradicted or could not be confirmed, and are not proven again. */
  readonly underAudit: {
    readonly windows: number;
    readonly relays: number;
    readonly seconds: number;
  };
  /** Contradictions that are kept, by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Null when there was none. */
  readonly last: {
    readonly url: string;
    /** Unix seconds. */
    readonly at: number;
    readonly kind: string;
    readonly question: string;
  } | null;
}
