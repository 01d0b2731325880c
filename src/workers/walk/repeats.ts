/**
 * What came in a walk and may come once more, because the next page begins in the second the last one ended in.
 *
 * A walk may have to wait for long while others go on, and so nothing that remembers the last events of the relay as a
 * whole would do: an event that is counted twice hides that another is missing (NIP-45).
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { PageEvent } from "./page.ts";

/** Kept of a walk at most; only a relay that puts thousands into one second has more. */
const MAX_KEPT = 2_000;

export class Repeats {
  readonly #events = new Map<string, PageEvent>();

  /** Whether this event has come. One that comes with another signature is another event. */
  has({ id, sig }: Pick<NostrEvent, "id" | "sig">): boolean {
    return this.#events.get(id)?.sig === sig;
  }

  /** Remembers what may come again in queries down from `until`, and forgets what may not. */
  advance(events: readonly PageEvent[], until: number): void {
    for (const [id, { createdAt }] of this.#events) {
      if (createdAt > until) this.#events.delete(id);
    }
    for (const event of events) {
      if (event.createdAt <= until) this.add(event);
    }
  }

  /** Remembers an event. */
  add(event: PageEvent): void {
    if (this.#events.size < MAX_KEPT) this.#events.set(event.id, event);
  }

  /** Remembers what another walk remembers, too. */
  addAll(others: Repeats): void {
    for (const event of others.#events.values()) this.add(event);
  }
}
