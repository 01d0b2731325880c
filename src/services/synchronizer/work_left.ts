/**
 * What a sync has still to do, as far as it is known: time to walk, and events that the relay lists and we lack.
 *
 * @module
 */
import {
  BEGINNING,
  intersectAll,
  mergeWindows,
  type Window,
} from "../../models/window.ts";
import type { WalkJob } from "../../workers/protocol/job.ts";

/** Shares are made of it: of the events where the relay lists them, of the time where it does not. */
export interface SyncWork {
  /** Seconds to walk when the sync began, of all its filters; none counts before `BEGINNING`. */
  readonly wantedSeconds: number;
  /** Those of them that are settled: proven, or known to be a gap. */
  readonly settledSeconds: number;
  /** Events that the relay lists (NIP-77) and the archive lacked, as far as the list is compared. */
  readonly missing: number;
}

type Settled = Window & { readonly filterHash: string };

/** Books of one sync. */
export class WorkLeft {
  /** To walk, by filter, ascending. */
  #wanted = new Map<string, Window[]>();
  /** Settled, by filter, ascending. */
  readonly #settled = new Map<string, Window[]>();
  #missing = 0;
  /** Counted anew only after a change: it is asked for with each page. */
  #work: SyncWork | null = null;

  get work(): SyncWork {
    return this.#work ??= this.#count();
  }

  /** Takes the plan of the first session: one that begins again has less to do, and that is settled already. */
  plan(
    walks: readonly Pick<WalkJob, "filterHash" | "windows">[],
    now: number,
  ): void {
    if (this.#wanted.size > 0) return;
    this.#work = null;
    for (const { filterHash, windows } of walks) {
      this.#wanted.set(filterHash, clipped(windows, now));
    }
  }

  settle(windows: readonly Settled[]): void {
    if (windows.length > 0) this.#work = null;
    for (const { filterHash, since, until } of windows) {
      const before = this.#settled.get(filterHash) ?? [];
      this.#settled.set(
        filterHash,
        mergeWindows([...before, { since, until }]),
      );
    }
  }

  /** More events are known to be missing. */
  lack(events: number): void {
    this.#missing += events;
    this.#work = null;
  }

  #count(): SyncWork {
    let wantedSeconds = 0;
    let settledSeconds = 0;
    for (const [filter, windows] of this.#wanted) {
      wantedSeconds += secondsOf(windows);
      const settled = this.#settled.get(filter) ?? [];
      settledSeconds += secondsOf(intersectAll(windows, settled));
    }
    return { wantedSeconds, settledSeconds, missing: this.#missing };
  }
}

function clipped(windows: readonly Window[], now: number): Window[] {
  return mergeWindows(windows.map(({ since, until }) => ({
    since: Math.max(since, BEGINNING),
    until: Math.min(until, now),
  })));
}

function secondsOf(windows: readonly Window[]): number {
  return windows.reduce((sum, { since, until }) => sum + until - since + 1, 0);
}
