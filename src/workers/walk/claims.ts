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

/** How strong a claim is after the session's audit; null where the audit says nothing for it. */
export function auditedStrength(
  { method, support }: Proof,
  { confirmed, contradictions }: Pick<
    AuditReport,
    "confirmed" | "contradictions"
  >,
): Exclude<Strength, "weak"> | null {
  if (contradictions.length > 0 || confirmed === 0) return null;
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
