/**
 * Holding what a client claims of an adversary against what it holds.
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import type { Window } from "../../../src/models/window.ts";
import type { Adversary } from "./adversary.ts";
import { type Answer, isEvent } from "./answer.ts";

/** What a client has come to after its last sync. */
export interface Outcome {
  readonly stored: { has(id: string): boolean };
  /** Seconds claimed complete. */
  readonly covered: readonly Window[];
  readonly nowMs: number;
}

/** An event that is claimed and not stored, and a question that it is an answer to. */
export interface FalselyClaimed {
  readonly event: NostrEvent;
  readonly shownBy: Revealing;
}

/** A REQ that shows an event, or the list of NIP-77. */
export type Revealing = Filter | "NIP-77";

/** What is missing of what could be had. */
export interface Judgement {
  /** Claimed and not stored. */
  readonly falseClaims: readonly FalselyClaimed[];
  /** Neither claimed nor stored. */
  readonly missing: readonly NostrEvent[];
}

/** What an outcome lacks of what had to be found; what no patience could have got is left out of false claims. */
export function judge(
  adversary: Adversary,
  { stored, covered, nowMs }: Outcome,
): Judgement {
  const lacking = adversary.obtainable().filter((event) =>
    adversary.isSettled(event) && !stored.has(event.id)
  );
  const isClaimed = ({ created_at: at }: NostrEvent) =>
    covered.some(({ since, until }) => at >= since && at <= until);
  return {
    falseClaims: lacking.filter(isClaimed).flatMap((event) => {
      const shownBy = whatShows(adversary, event, nowMs);
      return shownBy === null ? [] : [{ event, shownBy }];
    }),
    missing: lacking.filter((event) => !isClaimed(event)),
  };
}

/**
 * By what somebody with much time, who knows where to look, gets the event, or is told that it exists; null for by
 * nothing. It is asked for by all shapes of questions, again and again, on connections old and new.
 */
export function whatShows(
  adversary: Adversary,
  event: NostrEvent,
  nowMs: number,
): Revealing | null {
  const fresh = () => adversary.connect();
  const window = { since: event.created_at, until: event.created_at };
  const listed = adversary.list(fresh(), window, nowMs) ?? [];
  if (listed.some(({ id }) => id === event.id)) return "NIP-77";
  // Of a crowd that only ids tell apart, somebody who sees full pages knows that there is more.
  const crowd = adversary.held.all
    .filter(({ created_at }) => created_at === event.created_at);
  const shapes = [...shapesOf(event, crowd.length > 2)];
  let connection = fresh();
  for (let round = 0; round < ROUNDS; round++) {
    for (const filter of shapes) {
      const answer = adversary.ask(connection, { filters: [filter], nowMs });
      if (shows(answer, event)) return filter;
      // Some relays are good to new connections only, some to old ones.
      if (round % 2 === 0 || answer.end.type === "disconnected") {
        connection = fresh();
      }
    }
  }
  return null;
}

const ROUNDS = 6;
const HOUR = 3_600;
const DAY = 86_400;

function* shapesOf(
  { created_at: at, kind, pubkey, id }: NostrEvent,
  isCrowd: boolean,
): Generator<Filter> {
  const windows: Filter[] = [
    { since: at, until: at },
    { since: at, until: at + 1 },
    { since: at - 1, until: at },
    { since: at - 30, until: at + 30 },
    { since: at - HOUR - 1, until: at + HOUR + 1 },
    { since: at - DAY, until: at },
    { since: at, until: at + DAY },
    { since: at - 40 * DAY, until: at + 40 * DAY },
    { until: at },
    { until: at + 1 },
    { until: at + HOUR + 1 },
    { since: at },
    { since: at - 1 },
    { since: at - HOUR - 1 },
    {},
  ];
  const fields: Filter[] = [
    {},
    { kinds: [kind] },
    { authors: [pubkey] },
    { kinds: [kind], authors: [pubkey] },
    ...(isCrowd ? [{ ids: [id] }] : []),
  ];
  for (const limit of [undefined, 500, 100, 20, 5, 1]) {
    for (const window of windows) {
      for (const field of fields) {
        const since = window.since === undefined
          ? {}
          : { since: Math.max(0, window.since) };
        const limited = limit === undefined ? {} : { limit };
        yield { ...field, ...window, ...since, ...limited };
      }
    }
  }
}

function shows({ items, afterEnd }: Answer, { id }: NostrEvent): boolean {
  return [...items, ...afterEnd].some((item) =>
    isEvent(item)
      ? item.id === id
      : item.type === "misaddressed" && item.event.id === id
  );
}
