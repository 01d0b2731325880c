/**
 * Holds what came of a long window against what the relay says it has there (NIP-45). An exact number is evidence;
 * an approximate one, a refusal and silence are none, and end the asking for this session.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Filter } from "../../models/filter.ts";
import type { Window } from "../../models/window.ts";
import type { RelayRequests } from "./relay_requests.ts";
import type { Ledger } from "../walk/ask.ts";
import { isRestrictedKind } from "../walk/known_kinds.ts";
import type { Pace } from "../walk/relay_profile.ts";
import type { WalkProof } from "../protocol/report.ts";

/** Shorter windows are looked at again and again, and cost enough: a week, seconds. */
const MIN_SPAN = 7 * 86_400;

/** Longest wait for a number, ms: most relays that know none say nothing. */
const MAX_WAIT_MS = 10_000;

export interface CountDeps {
  readonly line: RelayRequests;
  readonly pace: Pace;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** One window that is walked, and what came of it. */
export interface Tallied {
  readonly filter: Filter;
  readonly window: Window;
  readonly ledger: Ledger;
  /** Unix seconds: what is younger may still be arriving. */
  readonly settledBefore: number;
}

export class CountCheck {
  readonly #deps: CountDeps;
  #isOffered = true;
  readonly #kinds = new Map<number, number>();
  #proofs = new Set<WalkProof>();
  #isTainted = false;
  #settledBefore = 0;

  constructor(deps: CountDeps) {
    this.#deps = deps;
  }

  /** A walk begins. The ledger to be used for it: it hears what is proven. */
  begin({ ledger, settledBefore }: Tallied): Ledger {
    this.#kinds.clear();
    this.#proofs.clear();
    this.#isTainted = false;
    this.#settledBefore = settledBefore;
    return {
      prove: (window, proof) => {
        this.#proofs.add(proof);
        ledger.prove(window, proof);
      },
      gap: (window, reason) => {
        this.#isTainted = true;
        ledger.gap(window, reason);
      },
    };
  }

  /** An event came that had not come before. */
  add({ kind, created_at: createdAt }: NostrEvent): void {
    if (createdAt >= this.#settledBefore) return;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  /** Something came that cannot be counted. */
  taint(): void {
    this.#isTainted = true;
  }

  /** The walk came to its end: compares, and records what follows. */
  async finish({ filter, window, ledger }: Tallied): Promise<void> {
    const { pace } = this.#deps;
    const until = Math.min(window.until, this.#settledBefore - 1);
    const counted = { since: window.since, until };
    const isWorthIt = this.#isOffered && !this.#isTainted &&
      until - window.since >= MIN_SPAN && this.#kinds.size > 0 &&
      this.#proofs.has("paging") && pace.order === "newest-first";
    if (!isWorthIt) return;
    const count = await this.#ask(filter, counted);
    if (count === null) return;
    if (count <= this.#received()) return ledger.prove(counted, "count");
    // Relays count private messages, too, and give them to nobody: they are left out of the comparison.
    const kinds = (filter.kinds ?? pace.likelyKinds())
      .filter((kind) => !isRestrictedKind(kind));
    if (kinds.length === 0) return;
    const open = await this.#ask({ ...filter, kinds }, counted);
    if (open === null || open <= this.#received(kinds)) return;
    ledger.gap(counted, "count-mismatch");
  }

  /** Null where there is no exact number. */
  async #ask(filter: Filter, { since, until }: Window): Promise<number | null> {
    const { line, signal, idleTimeoutMs } = this.#deps;
    const bounded = { ...filter, ...(since > 0 && { since }), until };
    const timeoutMs = Math.min(MAX_WAIT_MS, idleTimeoutMs);
    const answer = await line.use(async (client) => {
      const given = await client.count(bounded, { signal, timeoutMs });
      return given.ok && !given.value.approximate
        ? { type: "count" as const, count: given.value.count }
        : { type: "none" as const };
    });
    if (answer.type === "count") return answer.count;
    this.#isOffered = false;
    return null;
  }

  #received(kinds: readonly number[] = [...this.#kinds.keys()]): number {
    return kinds.reduce((sum, kind) => sum + (this.#kinds.get(kind) ?? 0), 0);
  }
}
