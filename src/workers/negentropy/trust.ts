/**
 * What the NIP-77 of a relay is worth, as this session has found so far: whether to go on asking by it, and what is to
 * be remembered.
 *
 * @module
 */
import type { NegentropyJob } from "../protocol/job.ts";
import type { NegentropySupport } from "../protocol/report.ts";

/** What went wrong with a comparison, by what it says of the relay. */
export type Problem =
  | "none"
  /** It wants to be asked for less. */
  | "too-many"
  /** It may be gone the next time. */
  | "passing"
  /** It would be there again the next time. */
  | "lasting"
  /** Asking again in this session is of no use. */
  | "final"
  /** What it lists is not what it holds. */
  | "false-list";

/** Failures in a row that are borne, between which nothing was reconciled and nothing obtained; see `COSTS`. */
const PATIENCE = 48;

/** Down to a single second it takes some forty comparisons; of what takes long, three are enough. */
const COSTS: Readonly<Record<Problem, number>> = {
  "none": 0,
  "too-many": 1,
  "passing": 16,
  "lasting": 16,
  "final": PATIENCE,
  "false-list": PATIENCE,
};

export class NegentropyTrust {
  readonly #before: NegentropySupport;
  #patience = PATIENCE;
  #isLasting = false;
  /** Whether the last failure was one that may pass. */
  isPassing = false;
  #isFalse = false;
  /** The longest list that was shown to be whole; -1 for none. */
  #wholeList: number;
  /** Whether any window was reconciled. */
  hasSucceeded = false;

  constructor({ support, wholeList }: NegentropyJob) {
    this.#before = support;
    this.#wholeList = wholeList;
  }

  get isUsable(): boolean {
    return this.#patience > 0;
  }

  get wholeList(): number {
    return this.#wholeList;
  }

  /** Whether the relay knows NIP-77. One that did is given a second chance. */
  get support(): NegentropySupport {
    if (this.#isFalse) return "unsupported";
    if (this.hasSucceeded) return "supported";
    if (this.isUsable || !this.#isLasting) return this.#before;
    return this.#before === "supported" ? "unknown" : "unsupported";
  }

  onSuccess(): void {
    this.hasSucceeded = true;
    this.#patience = PATIENCE;
  }

  onFailure(problem: Problem, { hasProgress }: { hasProgress: boolean }): void {
    this.isPassing = problem === "passing";
    if (problem !== "none") this.#isLasting = !this.isPassing;
    this.#isFalse ||= problem === "false-list";
    if (hasProgress) this.#patience = PATIENCE;
    this.#patience -= COSTS[problem];
  }

  /** No more in this session, whoever is to blame. */
  stop(): void {
    this.#patience = 0;
    this.#isLasting = false;
  }

  /**
   * Whether a list of so many events is to be shown to be whole: some relays list no more than they give at once, and
   * say nothing of the rest. One as long as the longest counts only when it has changed, as all cut off have one length.
   */
  isDoubtful(listed: number, { isChanged }: { isChanged: boolean }): boolean {
    return listed > this.#wholeList ||
      listed === this.#wholeList && isChanged;
  }

  shownWhole(listed: number): void {
    this.#wholeList = Math.max(this.#wholeList, listed);
  }
}
