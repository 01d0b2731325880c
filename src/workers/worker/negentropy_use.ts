/**
 * NIP-77 as one session uses it: tried beside the first pages where it is not known whether the relay understands it,
 * and trusted as far as it has proven to be right.
 *
 * @module
 */
import type { Window } from "../../models/window.ts";
import { Reconciler, type ReconcilerDeps } from "../negentropy/reconciler.ts";
import type { WalkJob } from "../protocol/job.ts";
import type { NegentropySupport } from "../protocol/report.ts";
import type { WalkFindings } from "../walk/ask.ts";
import type { Reconciling } from "./filter_sync.ts";

export class NegentropyUse implements Reconciling {
  readonly #reconciler: Reconciler;
  readonly #answered = Promise.withResolvers<boolean>();
  readonly #givenUp = new AbortController();
  #isUnderstood: boolean | null;
  #isIgnored = false;
  #pages: Promise<void> | null = null;

  constructor(deps: Omit<ReconcilerDeps, "onFirstAnswer" | "beforeFetch">) {
    this.#isUnderstood = deps.job.support === "supported" ? true : null;
    this.#reconciler = new Reconciler({
      ...deps,
      signal: AbortSignal.any([deps.signal, this.#givenUp.signal]),
      onFirstAnswer: () => {
        this.#isUnderstood = true;
        this.#answered.resolve(true);
      },
      beforeFetch: async () => {
        if (this.#pages === null) return;
        await this.#pages;
        await deps.ingest.flush();
        this.#pages = null;
      },
    });
  }

  get isUnderstood(): boolean | null {
    return this.#reconciler.trust.isUsable ? this.#isUnderstood : false;
  }

  get answered(): Promise<boolean> {
    return this.#answered.promise;
  }

  /** Whether anything was proven by it. */
  get hasReconciled(): boolean {
    return this.#reconciler.trust.hasSucceeded;
  }

  /** The longest list that was shown to be whole, in events; -1 for none. */
  get wholeList(): number {
    return this.#reconciler.trust.wholeList;
  }

  async reconcile(
    job: WalkJob,
    window: Window,
    findings: WalkFindings,
    pages: Promise<void>,
  ): Promise<readonly (Window & { readonly isLacking: boolean })[]> {
    this.#pages = pages;
    const left = await this.#reconciler.reconcile(job, window, findings);
    this.#answered.resolve(this.#isUnderstood === true);
    return left;
  }

  /** Asks no more: everything was paged before the relay has answered. */
  giveUp({ isIgnored }: { readonly isIgnored: boolean }): void {
    if (this.#isUnderstood !== null) return;
    this.#isIgnored = isIgnored && !this.#reconciler.trust.isPassing;
    this.#isUnderstood = false;
    this.#givenUp.abort();
  }

  /** A REQ has shown events that it does not list. */
  distrust(): void {
    this.#reconciler.trust.onFailure("false-list", { hasProgress: false });
  }

  /** What is to be remembered. A relay that answers nothing at all says nothing about what it understands. */
  support(hasAnswered: boolean): NegentropySupport {
    const { support } = this.#reconciler.trust;
    if (this.#isIgnored && support === "unknown" && hasAnswered) {
      return "unsupported";
    }
    return support === "unsupported" && !hasAnswered ? "unknown" : support;
  }
}
