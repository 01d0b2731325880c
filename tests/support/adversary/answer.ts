/**
 * What an adversary answers, and what it was asked: plain data.
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";

/** One question as the relay sees it. */
export interface Question {
  readonly type: "REQ" | "COUNT" | "NEG";
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** Number of the question on its connection, from 1. */
  readonly nth: number;
  /** Number of the question of all, from 1. */
  readonly total: number;
  /** Subscriptions open on the connection, with this one. */
  readonly open: number;
  /** As sent. */
  readonly filters: readonly Filter[];
  /** Unix seconds. */
  readonly now: number;
}

/** A message between REQ and its end. */
export type WireItem = NostrEvent | Stray;

/** A message that is no event of the subscription it should belong to. */
export type Stray =
  /** A text frame; `%s` in it stands for the subscription id. */
  | { readonly type: "garbage"; readonly text: string }
  /** An EVENT message under another subscription id, or under none. */
  | {
    readonly type: "misaddressed";
    readonly event: NostrEvent;
    readonly subscription: "wrong" | "none";
  };

/** How an answer ends. */
export type AnswerEnd =
  | { readonly type: "eose"; readonly hint?: "finish" | "more" | undefined }
  | { readonly type: "closed"; readonly reason: string }
  /** Neither EOSE nor CLOSED ever comes. */
  | { readonly type: "silent" }
  | { readonly type: "disconnected" };

/** The answer to one REQ. */
export interface Answer {
  /** In order of arrival, before the end. */
  readonly items: readonly WireItem[];
  readonly end: AnswerEnd;
  /** What still comes after the end. */
  readonly afterEnd: readonly WireItem[];
  /** Time until it is sent; answers of concurrent questions overtake each other by it. */
  readonly delayMs: number;
}

/** The answer to a COUNT. */
export interface CountAnswer {
  readonly count: number;
  readonly approximate: boolean;
}

/** Whether an item is an event of its subscription. */
export function isEvent(item: WireItem): item is NostrEvent {
  return "id" in item;
}

/** The first messages of an answer, those that come late counted, too; where some were lost by it, an honest hint says so. */
export function cutTo(answer: Answer, messages: number): Answer {
  const { end } = answer;
  const items = answer.items.slice(0, messages);
  const afterEnd = answer.afterEnd.slice(0, messages - items.length);
  const isShorter = items.length < answer.items.length;
  if (end.type !== "eose" || end.hint === undefined || !isShorter) {
    return { ...answer, items, afterEnd };
  }
  return { ...answer, items, afterEnd, end: { type: "eose", hint: "more" } };
}

/** The same answer with the events for which `keeps` holds, and everything else; a hint stays, as if nothing were lost. */
export function withEvents(
  answer: Answer,
  keeps: (event: NostrEvent) => boolean,
): Answer {
  const items = answer.items.filter((item) => !isEvent(item) || keeps(item));
  return { ...answer, items };
}
