/**
 * What a walk asks a relay for, and what it learns from the answer: plain data, no I/O.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { OPEN_END, type Window } from "../../models/window.ts";
import type { FailureReason } from "../protocol/report.ts";

/** One REQ of a walk. */
export interface Query {
  /** As sent: with `since`, `until` and `limit`. */
  readonly filter: Filter;
  /** Further filters of the same REQ, as sent. What matches only these comes as `Page.extra`. */
  readonly extraFilters?: readonly Filter[];
  /** What events have to match where that is more than was sent. */
  readonly match?: Filter;
  /** The seconds asked; events outside of them are refused. */
  readonly window: Window;
  readonly limit: number;
  /** Asked only to learn something about the relay: what comes is not archived. */
  readonly evidenceOnly: boolean;
  /** To be asked over a new connection: the relay does not answer well over this one any more. */
  readonly isFresh?: boolean;
}

/** What a walk needs to know of an event. */
export interface PageEvent {
  readonly id: string;
  readonly createdAt: number;
  readonly kind: number;
  readonly pubkey: string;
  readonly sig: string;
}

/** Seconds of a page in which something came that could not be read. */
export interface Hole extends Window {
  readonly reason: "too-large" | "unread";
}

/** The answer to one query. */
export interface Page {
  /** Events whose id is valid and that lie in the window, in order of arrival; those of one id and signature once. */
  readonly events: readonly PageEvent[];
  /** Those that were handed on, as they match the filter and more than evidence was asked for. */
  readonly accepted: readonly PageEvent[];
  /** Events that only a further filter of the query asked for; they count nowhere else. */
  readonly extra: readonly PageEvent[];
  /** Distinct events of any sort that came. */
  readonly size: number;
  /** Events younger than the window: the relay ignores `until`. */
  readonly newer: number;
  /** Events older than the window: the relay ignores `since`. */
  readonly older: number;
  /** The second of the oldest of them; `OPEN_END` where there is none. */
  readonly lowest: number;
  /** Where something came that could not be read: in the order of the page, between its neighbours. */
  readonly unread: readonly Hole[];
  /** Whether other requests were under way at the same time: a failure may come from that. */
  readonly isShared: boolean;
  /** Whether our side applied backpressure while it came. */
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

/** The NIP-67 hint of a page; null where it gave none. */
export function hintOf({ end }: Page): "finish" | "more" | null {
  return end.type === "eose" ? end.hint ?? null : null;
}

/** The `created_at` of the oldest event of a page that has any, else `OPEN_END`. */
export function oldestOf(events: readonly PageEvent[]): number {
  return events.reduce(
    (oldest, { createdAt }) => Math.min(oldest, createdAt),
    OPEN_END,
  );
}

/** The `created_at` of the newest event, else -1. */
export function newestOf(events: readonly PageEvent[]): number {
  return events.reduce(
    (newest, { createdAt }) => Math.max(newest, createdAt),
    -1,
  );
}
