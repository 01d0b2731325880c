/**
 * What a walk asks a relay for, and what it learns from the answer: plain data, no I/O.
 *
 * @module
 */
import { OPEN_END, type Window } from "../../models/window.ts";
import type { FailureReason } from "../protocol/report.ts";
import type { Filter } from "../../models/filter.ts";

/** One REQ of a walk. */
export interface Query {
  /** As sent: with `since`, `until` and `limit`. */
  readonly filter: Filter;
  /** What events have to match where that is more than was sent. */
  readonly match?: Filter;
  /** The seconds asked; events outside of them are refused. */
  readonly window: Window;
  readonly limit: number;
  /** Asked only to learn something about the relay: what comes is not archived. */
  readonly evidenceOnly: boolean;
  /** Asked beside it in the same REQ, as sent: what matches only these is reported in `Page.extra`, and nowhere else. */
  readonly extraFilters?: readonly Filter[];
}

/** What a walk needs to know of an event. */
export interface PageEvent {
  readonly id: string;
  readonly createdAt: number;
  readonly kind: number;
  readonly pubkey: string;
  readonly sig: string;
}

/** Seconds in which something came that was not read, and may have been an event. */
export interface Hole extends Window {
  readonly reason: "too-large" | "unread";
}

/** The answer to one query. */
export interface Page {
  /** Events whose id is valid and that lie in the window, in order of arrival; those of one id and signature once. */
  readonly events: readonly PageEvent[];
  /** Those that were handed on, as they match the filter and more than evidence was asked for. */
  readonly accepted: readonly PageEvent[];
  /** Distinct events of any sort that came. */
  readonly size: number;
  /** Events younger than the window: the relay ignores `until`. */
  readonly newer: number;
  /** Events older than the window: the relay ignores `since`. */
  readonly older: number;
  /** Where something came that was not read: the second it names, or all from the event before it to the one after it. */
  readonly unread: readonly Hole[];
  /** Events that match an extra filter and not the main one; distinct, and no part of the rest. */
  readonly extra: readonly PageEvent[];
  /** Whether other requests were under way at the same time: a failure may come from that. */
  readonly isShared: boolean;
  /** Whether it was we who could not take it faster. */
  readonly backpressured: boolean;
  /** The limit it was asked with. */
  readonly limit: number;
  readonly end: PageEnd;
}

/** How a page ended. */
export type PageEnd =
  /** The relay says that it has sent what it chose to send (NIP-01), all there is (`finish`), or not all (`more`). */
  | { readonly type: "eose"; readonly hint?: "finish" | "more" | undefined }
  /** We stopped it after more events than were asked for. */
  | { readonly type: "cut" }
  /** Anything else: it proves nothing. */
  | { readonly type: "failed"; readonly reason: FailureReason }
  /** We stop altogether. */
  | { readonly type: "aborted" };

/**
 * Whether the events came newest first, as NIP-01 promises for a request with a limit. What is younger than
 * `settledBefore` may have been published while the page was on its way, and is not judged.
 */
export function isNewestFirst(page: Page, settledBefore: number): boolean {
  let last = settledBefore;
  for (const { createdAt } of page.events) {
    if (createdAt >= settledBefore) continue;
    if (createdAt > last) return false;
    last = createdAt;
  }
  return true;
}

/** NIP-67: the relay says that nothing is missing. */
export function isFinished(page: Page): boolean {
  return page.end.type === "eose" && page.end.hint === "finish";
}

/** The `created_at` of the oldest event of a page that has any. */
export function oldestOf(events: readonly PageEvent[]): number {
  return events.reduce(
    (oldest, { createdAt }) => Math.min(oldest, createdAt),
    OPEN_END,
  );
}

/** The oldest second a page shows: also one whose event could not be read. `OPEN_END` when it shows none. */
export function bottomOf({ events, unread }: Page): number {
  const seconds = unread.filter(({ since, until }) => since === until);
  return Math.min(oldestOf(events), ...seconds.map(({ since }) => since));
}

/** The ids of the events of one second. */
export function idsAt(
  events: readonly PageEvent[],
  second: number,
): Set<string> {
  return new Set(
    events.filter(({ createdAt }) => createdAt === second).map(({ id }) => id),
  );
}
