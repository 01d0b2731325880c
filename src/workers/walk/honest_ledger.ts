/**
 * A ledger that proves nothing where something is known not to have been read.
 *
 * @module
 */
import { subtractWindows, type Window } from "../../models/window.ts";
import type { Ledger } from "./ask.ts";
import type { GapReason, WalkProof } from "../protocol/report.ts";
import type { Page } from "./page.ts";

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

  /** Makes gaps of where a page brought what could not be read. */
  skipUnread({ unread }: Page): void {
    for (const { since, until, reason } of unread) {
      this.hide({ since, until }, reason);
    }
  }

  /** A gap in which nothing is proven from now on. */
  hide(window: Window, reason: GapReason): void {
    this.#holes.push(window);
    this.gap(window, reason);
  }
}
