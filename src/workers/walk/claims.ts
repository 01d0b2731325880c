/**
 * What may be claimed: the one place that decides how a finding of a walk becomes a claim of the archive, and how
 * strong that claim is. Stages may only weaken what a walk says.
 *
 * @module
 */
import type { AuditReport, Proof, Strength } from "../protocol/evidence.ts";
import {
  intersectWindows,
  mergeWindows,
  subtractWindows,
  type Window,
} from "../../models/window.ts";
import type { GapReason } from "../protocol/report.ts";

/** What stands against a proof. */
export interface Doubts {
  /** Nothing above this second is claimed: Unix seconds; null for nothing at all. */
  readonly provenUntil: number | null;
  /** Seconds in which something came that was not read, or came late. */
  readonly holes: readonly Window[];
  /** Why nothing the relay says is believed, if so. */
  readonly distrust: GapReason | null;
}

/** The parts of a proof that may be claimed; none where the relay is not believed. */
export function claimable(proof: Proof, doubts: Doubts): Proof[] {
  const { provenUntil, holes, distrust } = doubts;
  if (provenUntil === null || distrust !== null) return [];
  const settled = intersectWindows(proof, { since: 0, until: provenUntil });
  if (settled === null) return [];
  return subtractWindows(settled, holes)
    .map((window) => ({ ...proof, ...window }));
}

/** How strong a claim is when it is made: nothing has been held against it yet. */
export const FIRST_STRENGTH: Strength = "weak";

/** A relay that was shown to be wrong so often is not believed until that is forgiven. */
const UNRELIABLE_TIMES = 2;

/** Why nothing is believed of a relay that was shown to be wrong so often; null where it is. */
export function distrustOf(caught: number): GapReason | null {
  return caught >= UNRELIABLE_TIMES ? "unreliable" : null;
}

/**
 * How strong a claim is after the session's audit; null where it stays weak: nothing spoke for it, a question of the
 * audit got no answer or one with news in it, or the relay was shown to be wrong lately.
 */
export function auditedStrength(
  { method, support }: Proof,
  audit: Omit<AuditReport, "asked">,
  caught: number,
): Exclude<Strength, "weak"> | null {
  if (audit.contradictions.length > 0 || audit.confirmed === 0) return null;
  if (audit.unanswered > 0 || audit.late.length > 0 || caught > 0) return null;
  switch (method) {
    case "negentropy":
      return "reconciled";
    case "live":
      return null;
    case "finish":
    case "count":
    case "paging":
    case "split":
    case "empty-page":
      if (support.counts !== null) return "counted";
      return support.witness === null ? null : "paged";
  }
}

/** The claims of one session for one filter, in bounded memory: merged where they touch and rest on the same. */
export class ClaimLog {
  readonly #claims = new Map<string, { proof: Proof; windows: Window[] }>();

  add(proof: Proof): void {
    const { method, support } = proof;
    const rests = `${method} ${support.witness !== null} ${
      support.counts !== null
    }`;
    const { since, until } = proof;
    const kept = this.#claims.get(rests);
    if (kept === undefined) {
      this.#claims.set(rests, { proof, windows: [{ since, until }] });
      return;
    }
    kept.windows.push({ since, until });
    if (kept.windows.length > MERGE_AT) {
      kept.windows = mergeWindows(kept.windows);
    }
  }

  /** Whether nothing was claimed. */
  get isEmpty(): boolean {
    return this.#claims.size === 0;
  }

  /** All claims, merged. */
  get proofs(): Proof[] {
    return [...this.#claims.values()].flatMap(({ proof, windows }) =>
      mergeWindows(windows).map((window) => ({ ...proof, ...window }))
    );
  }

  /** All that was claimed, whatever it rests on. */
  get windows(): Window[] {
    return mergeWindows(
      [...this.#claims.values()].flatMap(({ windows }) => windows),
    );
  }
}

/** Windows gathered before they are merged. */
const MERGE_AT = 256;
