/**
 * The audit of one sync on its way into the archive: each part of it once, though a session that goes live reports twice.
 *
 * @module
 */
import {
  type AuditOutcome,
  recordAudit,
} from "../../archive/sync/sync_audit.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { FilterAudit, SyncReport } from "../../workers/protocol/report.ts";

/** The result of the audit of a sync. */
export interface SyncAudit {
  readonly asked: number;
  readonly confirmed: number;
  readonly contradicted: number;
  /** Retractions that took coverage back. */
  readonly retracted: number;
  /** Retractions that took coverage back, by the kind of contradiction. */
  readonly retractions: Readonly<Record<string, number>>;
  /** Seconds of coverage taken back, of all walks together. */
  readonly retractedSeconds: number;
}

type Audited = Pick<SyncReport, "audits" | "retracted">;

const NOTHING: SyncAudit = {
  asked: 0,
  confirmed: 0,
  contradicted: 0,
  retracted: 0,
  retractions: {},
  retractedSeconds: 0,
};

export class SessionAudit {
  readonly #database: Database;
  readonly #relayId: number;
  /** Audits and retractions recorded of the session so far: reports of one session only grow. */
  #audits = 0;
  #retracted = 0;
  #result = NOTHING;

  constructor(database: Database, relayId: number) {
    this.#database = database;
    this.#relayId = relayId;
  }

  get result(): SyncAudit {
    return this.#result;
  }

  /** Forgets how much of a lost session is recorded: the reports of the next one begin with nothing. */
  beginAgain(): void {
    this.#audits = 0;
    this.#retracted = 0;
  }

  /** Records what is new in a report of the session, and takes back what it retracts. Throws what the database throws. */
  async record({ audits, retracted }: Audited): Promise<void> {
    const retractions = retracted.slice(this.#retracted);
    const fresh = audits.slice(this.#audits);
    this.#retracted = retracted.length;
    this.#audits = audits.length;
    const hashes = new Set(
      [...fresh, ...retractions].map(({ filterHash }) => filterHash),
    );
    for (const filterHash of hashes) {
      const own = fresh.filter((audit) => audit.filterHash === filterHash);
      this.#add(
        own,
        await recordAudit(this.#database, {
          relayId: this.#relayId,
          filterHash,
          audit: {
            asked: total(own.map(({ asked }) => asked)),
            confirmed: total(own.map(({ confirmed }) => confirmed)),
            contradictions: own.flatMap(({ contradictions }) => contradictions),
          },
          retractions: retractions
            .filter((retraction) => retraction.filterHash === filterHash),
        }),
      );
    }
  }

  #add(audits: readonly FilterAudit[], outcome: AuditOutcome): void {
    const before = this.#result;
    const retractions = sum(before.retractions, outcome.retractions);
    this.#result = {
      asked: before.asked + total(audits.map(({ asked }) => asked)),
      confirmed: before.confirmed +
        total(audits.map(({ confirmed }) => confirmed)),
      contradicted: before.contradicted + outcome.contradicted,
      retracted: total(Object.values(retractions)),
      retractions,
      retractedSeconds: before.retractedSeconds + outcome.retractedSeconds,
    };
  }
}

function total(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

function sum(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const total: Record<string, number> = { ...a };
  for (const [kind, count] of Object.entries(b)) {
    total[kind] = (total[kind] ?? 0) + count;
  }
  return total;
}
