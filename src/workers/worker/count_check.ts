/**
 * COUNT (NIP-45): what the archive knows of a relay, of this sync and all before it, held against what the relay says it
 * has. The question is asked beside the first pages, and its answer used when it has come: most relays that do not know
 * COUNT say nothing.
 *
 * An exact number is evidence in one direction: one that is larger than what is known contradicts the walk; one that is
 * not supports it. An approximate one and a refusal are none, and end the asking for this session.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import type { Window } from "../../models/window.ts";
import { isRestrictedKind } from "../walk/kinds.ts";
import type { RelayProfile } from "../walk/relay_profile.ts";
import type { RelayRequests } from "./relay_requests.ts";

/** Shorter windows are looked at again and again, and cost enough: a week, seconds. */
const MIN_SPAN = 7 * 86_400;

export interface CountDeps {
  readonly line: RelayRequests;
  readonly profile: RelayProfile;
  readonly idleTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** What came of a count. */
export type Counted =
  /** There is no number to go by. */
  | { readonly type: "none" }
  | { readonly type: "agrees"; readonly relay: number }
  | { readonly type: "more"; readonly relay: number };

/** An answer on its way, and whether it has come. */
interface Pending {
  readonly window: Window;
  readonly answer: Promise<number | null>;
  isAnswered: boolean;
}

export class CountCheck {
  readonly #deps: CountDeps;
  readonly #givenUp = new AbortController();
  #isOffered = true;
  #pending: Pending | null = null;

  constructor(deps: CountDeps) {
    this.#deps = deps;
  }

  /** Asks beside what else is asked; nothing where the window is not worth it. */
  begin(filter: Filter, window: Window): void {
    this.#pending = null;
    if (!this.#isOffered || window.until - window.since < MIN_SPAN) return;
    const pending: Pending = {
      window,
      answer: this.#ask(filter, window)
        .finally(() => pending.isAnswered = true),
      isAnswered: false,
    };
    this.#pending = pending;
  }

  /** Waits no longer for what has not come: it would keep a connection open that is to be replaced. */
  giveUp(): void {
    if (this.#pending === null || this.#pending.isAnswered) return;
    this.#isOffered = false;
    this.#givenUp.abort();
  }

  /** Compares what was counted, if it was, with what the archive knows: `sighted` says how much that is. */
  async finish(
    filter: Filter,
    sighted: (filter: Filter, window: Window) => Promise<number | null>,
  ): Promise<Counted & { readonly window?: Window }> {
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null) return { type: "none" };
    if (!pending.isAnswered) {
      this.#isOffered = false;
      this.#givenUp.abort();
      return { type: "none" };
    }
    const { window } = pending;
    const relay = await pending.answer;
    const known = relay === null ? null : await sighted(filter, window);
    if (relay === null || known === null) return { type: "none" };
    if (relay <= known) return { type: "agrees", relay, window };
    // Relays count private messages, too, and give them to nobody: they are left out of the comparison.
    const kinds = (filter.kinds ?? this.#deps.profile.likelyKinds())
      .filter((kind) => !isRestrictedKind(kind));
    if (kinds.length === 0) return { type: "none" };
    const open = { ...filter, kinds };
    const openCount = await this.#ask(open, window);
    const openKnown = await sighted(open, window);
    if (openCount === null || openKnown === null) return { type: "none" };
    return openCount > openKnown
      ? { type: "more", relay: openCount, window }
      : { type: "none" };
  }

  /** Null where there is no exact number. */
  async #ask(filter: Filter, { since, until }: Window): Promise<number | null> {
    const { line, idleTimeoutMs } = this.#deps;
    const signal = AbortSignal.any([this.#deps.signal, this.#givenUp.signal]);
    const bounded = { ...filter, ...(since > 0 && { since }), until };
    const answer = await line.use(async (client) => {
      const given = await client.count(bounded, {
        signal,
        timeoutMs: idleTimeoutMs,
      });
      return given.ok && !given.value.approximate
        ? { type: "count" as const, count: given.value.count }
        : { type: "none" as const };
    });
    if (answer.type === "count") return answer.count;
    this.#isOffered = false;
    return null;
  }
}
