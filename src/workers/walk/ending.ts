/**
 * How a walk ends: nothing more came, and that has to be believed by a second, narrower answer.
 *
 * Neither a short nor an empty page proves an end by itself. Relays drop private kinds after counting them against the
 * limit, so a page may be empty although a thousand public events lie below it.
 *
 * @module
 */
import type { Filter } from "../../models/filter.ts";
import { OPEN_END, type Window } from "../../models/window.ts";
import {
  ask,
  type Asking,
  type NoPage,
  type Question,
  type Walk,
} from "./ask.ts";
import { isRestrictedKind } from "./known_kinds.ts";
import { idsAt, oldestOf, type Page } from "./page.ts";

/** How far down a walk has come. */
export interface Edge {
  /** The second the next page begins with. */
  readonly until: number;
  /** Events already seen in that second. */
  readonly ties: ReadonlySet<string>;
  /** Whether this second is asked for with the full limit, after it filled a reduced one. */
  readonly raised?: boolean;
}

/** The end of a walk, and what broke it off if it was not the end of the window. */
export interface Done {
  readonly brokenBy: NoPage | null;
}

export const DONE: Done = { brokenBy: null };

/** Records what could not be walked. */
export function breakOff(walk: Walk, rest: Window, failure: NoPage): Done {
  if (failure !== "aborted") walk.ledger.gap(rest, failure);
  return { brokenBy: failure };
}

/** Leaves a second that was dealt with. `until: 0` is never asked: some relays ignore it and start over. */
export function goBelow(walk: Walk, second: number): Edge | Done {
  const { since } = walk.stretch;
  if (second <= since) return DONE;
  if (second > 1) return { until: second - 1, ties: new Set() };
  walk.ledger.gap({ since, until: second - 1 }, "bounds-ignored");
  return DONE;
}

/**
 * Asks whether there really is nothing in `rest` but the `ties` in its top second. When something else comes, the
 * relay hides events: what was skipped becomes a gap, and the walk goes on below it.
 */
export function* confirmEnd(
  walk: Walk,
  rest: Window,
  ties: ReadonlySet<string>,
): Asking<Edge | Done> {
  // A short page is evidence by itself; an empty one is none until something else agrees with it.
  let isBelievable = ties.size > 0;
  for (const question of confirmations(walk, rest, ties.size === 0)) {
    const answer = yield* ask(walk, question);
    if (!answer.ok && answer.failure === "refused") continue;
    if (!answer.ok) return breakOff(walk, rest, answer.failure);
    const unseen = unseenOf(walk, answer.value, ties);
    if (unseen.length > 0) return skipTo(walk, rest, unseen);
    isBelievable = true;
    break;
  }
  if (!isBelievable) return breakOff(walk, rest, "refused");
  walk.ledger.prove(rest, "empty-page");
  return DONE;
}

/**
 * Ends below a page that had room for more: one narrower answer has to agree that there is nothing. When it does not,
 * the walk goes on as if it had not been asked.
 */
export function* endEarly(walk: Walk, below: Edge): Asking<Edge | Done> {
  const { pace, ledger, stretch: { since } } = walk;
  const rest = { since, until: below.until };
  if (since > below.until) return DONE;
  const [question = { window: rest }] = confirmations(walk, rest, false);
  const answer = yield* ask(walk, question);
  if (!answer.ok) return below;
  const unseen = unseenOf(walk, answer.value, below.ties);
  if (unseen.length > 0 || !pace.isShort(answer.value)) {
    pace.hasHidden ||= unseen.length > 0;
    return below;
  }
  ledger.prove(rest, "empty-page");
  return DONE;
}

/**
 * The same stretch without the kinds that relays hold back; where the filter names none of those, or the relay refuses
 * to be asked so, its newer half.
 */
function confirmations(
  { filter, pace }: Walk,
  rest: Window,
  isEmpty: boolean,
): Question[] {
  const questions: Question[] = [];
  const kinds = filter.kinds?.filter((kind) => !isRestrictedKind(kind)) ??
    pace.likelyKinds();
  if (kinds.length > 0 && kinds.length !== filter.kinds?.length) {
    const narrower: Filter = { ...filter, kinds };
    questions.push({ window: rest, filter: narrower, isSpecial: true });
  }
  if (isEmpty) questions.push({ window: newerHalf(rest) });
  return questions;
}

function newerHalf({ since, until }: Window): Window {
  // Half of all time that is still to come would be no question at all.
  const span = until === OPEN_END ? 0 : until - since;
  return { since: since + Math.floor(span / 2), until };
}

function unseenOf(walk: Walk, page: Page, ties: ReadonlySet<string>) {
  return page.events.filter(({ id, createdAt }) =>
    !ties.has(id) && createdAt < walk.settledBefore
  );
}

function skipTo(
  walk: Walk,
  rest: Window,
  unseen: Page["events"],
): Edge | Done {
  const oldest = oldestOf(unseen);
  if (oldest < rest.until) {
    walk.ledger.gap({ since: oldest + 1, until: rest.until }, "hidden");
    return { until: oldest, ties: idsAt(unseen, oldest) };
  }
  walk.ledger.gap({ since: oldest, until: oldest }, "hidden");
  return goBelow(walk, oldest);
}
