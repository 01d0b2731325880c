/**
 * A ledger that proves nothing where something is known not to have been read.
 *
 * @module
 */
import { subtractWindows, type Window } from "../../models/window.ts";
import type { Ledger } from "./ask.ts";
import type { GapReason, WalkProof } from "../protocol/report.ts";
import type { Page, Query } from "./page.ts";

export class HonestLedger implements Ledger {
  readonly #ledger: Ledger;
  readonly #holes: Window[] = [];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  prove(window: Window, proof: WalkProof): void {
    for (const rest of subtractWindows(window, this.#holes)) {
      this.#ledger.prove(rest, proof);
    }
  }

  gap(window: Window, reason: GapReason): void {
    this.#ledger.gap(window, reason);
  }

  /** Makes gaps of what a page brought that was too long to be read: its second, or all that was asked for. */
  skipUnread({ window, match }: Query, { unread }: Page): void {
    for (const at of unread) {
      // Asked for by its id, it is found missing.
      if (at === null && match !== undefined) continue;
      const hole = at === null ? window : { since: at, until: at };
      this.#holes.push(hole);
      this.gap(hole, "too-large");
    }
  }
}
