/**
 * What came in a walk and may come once more, because the next page begins in the second the last one ended in.
 *
 * A walk may have to wait for long while others go on, and so nothing that remembers the last events of the relay as a
 * whole would do: an event that is counted twice hides that another is missing (NIP-45).
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { Window } from "../../models/window.ts";
import type { PageEvent } from "./page.ts";

/** Kept of a walk at most; only a relay that puts thousands into one second has more. */
const MAX_KEPT = 2_000;

export class Repeats {
  readonly #events = new Map<string, PageEvent>();
  /** Whether too little became free when room was made last. */
  #isCrowded = false;

  /** Whether this event has come. One that comes with another signature is another event. */
  has({ id, sig }: Pick<NostrEvent, "id" | "sig">): boolean {
    return this.#events.get(id)?.sig === sig;
  }

  /** Remembers what may come again from this window, and forgets what may not. */
  advance(events: readonly PageEvent[], { since, until }: Window): void {
    this.#isCrowded = false;
    for (const [id, { createdAt: at }] of this.#events) {
      if (at < since || at > until) this.#events.delete(id);
    }
    for (const event of events) {
      const { createdAt: at } = event;
      if (at >= since && at <= until) this.add(event);
    }
  }

  /** Those of a window, for a walk that takes it over. */
  within({ since, until }: Window): Repeats {
    const part = new Repeats();
    for (const event of this.#events.values()) {
      const { createdAt: at } = event;
      if (at >= since && at <= until) part.add(event);
    }
    return part;
  }

  /** Remembers an event. */
  add(event: PageEvent): void {
    if (this.#events.size >= MAX_KEPT) this.#makeRoom();
    if (this.#events.size < MAX_KEPT) this.#events.set(event.id, event);
  }

  /** Forgets the older half: pages come newest first, and what lies below may never come. */
  #makeRoom(): void {
    if (this.#isCrowded) return;
    const times = [...this.#events.values()].map(({ createdAt }) => createdAt)
      .sort((a, b) => a - b);
    const median = times[times.length >> 1]!;
    for (const [id, { createdAt }] of this.#events) {
      if (createdAt < median) this.#events.delete(id);
    }
    this.#isCrowded = this.#events.size > MAX_KEPT * 3 / 4;
  }
}
