/**
 * The audit of one sync on its way into the archive: each part of it once, though a session that goes live reports twice.
 *
 * @module
 */
import { recordAudit } from "../../archive/sync_audit.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { SyncReport } from "../../workers/protocol/report.ts";

/** What the audit of a sync came to. */
export interface SyncAudit {
  readonly asked: number;
  readonly confirmed: number;
  readonly contradicted: number;
  /** Retractions that took coverage back. */
  readonly retracted: number;
  /** Those by the kind of contradiction. */
  readonly retractions: Readonly<Record<string, number>>;
  /** Seconds of coverage taken back, of all walks together. */
  readonly retractedSeconds: number;
}

type Audited = Pick<SyncReport, "audit" | "retracted">;

const NOTHING: SyncAudit = {
  asked: 0,
  confirmed: 0,
  contradicted: 0,
  retracted: 0,
  retractions: {},
  retractedSeconds: 0,
};

const NOT_YET = { asked: 0, confirmed: 0, contradictions: 0, retracted: 0 };

export class SessionAudit {
  readonly #database: Database;
  readonly #relayId: number;
  readonly #filterHash: string;
  /** What was recorded of the session so far: reports of one session only grow. */
  #recorded = NOT_YET;
  #result = NOTHING;

  /** `filterHash`: the walk that questions are counted for. Contradictions name their own. */
  constructor(
    database: Database,
    { relayId, filterHash }: {
      readonly relayId: number;
      readonly filterHash: string;
    },
  ) {
    this.#database = database;
    this.#relayId = relayId;
    this.#filterHash = filterHash;
  }

  get result(): SyncAudit {
    return this.#result;
  }

  /** The session was lost; the next one counts from zero. */
  beginAgain(): void {
    this.#recorded = NOT_YET;
  }

  /** Records what is new in a report of the session, and takes back what it retracts. Throws what the database throws. */
  async record({ audit, retracted }: Audited): Promise<void> {
    const before = this.#recorded;
    const fresh = {
      asked: audit.asked - before.asked,
      confirmed: audit.confirmed - before.confirmed,
      contradictions: audit.contradictions.slice(before.contradictions),
    };
    const retractions = retracted.slice(before.retracted);
    const { asked, contradictions } = fresh;
    if (asked + contradictions.length + retractions.length === 0) return;
    const outcome = await recordAudit(this.#database, {
      relayId: this.#relayId,
      filterHash: this.#filterHash,
      audit: fresh,
      retractions,
    });
    this.#recorded = {
      asked: audit.asked,
      confirmed: audit.confirmed,
      contradictions: audit.contradictions.length,
      retracted: retracted.length,
    };
    const total = this.#result;
    const kinds = sum(total.retractions, outcome.retractions);
    this.#result = {
      asked: total.asked + fresh.asked,
      confirmed: total.confirmed + fresh.confirmed,
      contradicted: total.contradicted + outcome.contradicted,
      retracted: Object.values(kinds).reduce((all, count) => all + count, 0),
      retractions: kinds,
      retractedSeconds: total.retractedSeconds + outcome.retractedSeconds,
    };
  }
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
