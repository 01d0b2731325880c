/**
 * What failing looks like from outside.
 *
 * @module
 */
import { type Answer, isEvent, type Question, withEvents } from "../answer.ts";
import { fraction } from "../random.ts";
import type { BehaviourDeps } from "../transformer.ts";

/** What becomes of the answer to a REQ. */
export interface Effect {
  readonly name: string;
  readonly create: (
    deps: BehaviourDeps,
  ) => (answer: Answer, question: Question) => Answer;
}

export const EFFECTS: readonly Effect[] = [
  /** EOSE and nothing before it: how tired, crowded and timed-out relays look. */
  onAnswer("empty", (answer) => ({ ...answer, items: [] })),
  /** The first event only, as where the iterator broke. */
  onAnswer("one event", (answer) => ({
    ...answer,
    items: answer.items.slice(0, 1),
  })),
  /** The newer half: a query that was cut short, and says nothing. */
  onAnswer("half a page", (answer) => ({
    ...answer,
    items: answer.items.slice(0, Math.ceil(answer.items.length / 2)),
  })),
  /** The older half, as where the first frames were lost. */
  onAnswer("older half", (answer) => ({
    ...answer,
    items: answer.items.slice(Math.floor(answer.items.length / 2)),
  })),
  /** A run in the middle is missing, which no order and no edge shows. */
  {
    name: "hole in the page",
    create: ({ random }) => (answer) => {
      const { length } = answer.items;
      const start = 1 + random.below(Math.max(1, length - 2));
      const end = start + 1 + random.below(Math.max(1, length - start - 1));
      return {
        ...answer,
        items: answer.items.filter((_, i) => i < start || i >= end),
      };
    },
  },
  /** The oldest events of the page are missing: what the next page would begin at. */
  onAnswer("edge missing", (answer) => ({
    ...answer,
    items: answer.items.slice(0, Math.ceil(answer.items.length * 0.9) - 1),
  })),
  /** The same share of the events each time. */
  {
    name: "fixed tenth missing",
    create: ({ salt }) => (answer) =>
      withEvents(answer, ({ id }) => fraction(id, salt) >= 0.1),
  },
  {
    name: "fixed half missing",
    create: ({ salt }) => (answer) =>
      withEvents(answer, ({ id }) => fraction(id, salt) >= 0.5),
  },
  /** Others each time. */
  {
    name: "drawn tenth missing",
    create: ({ random }) => (answer) =>
      withEvents(answer, () => !random.chance(10)),
  },
  /** One event a second: an index by time that overwrites. */
  onAnswer("ties collapsed", (answer) => {
    let last = -1;
    return withEvents(answer, ({ created_at }) => {
      const isFirst = created_at !== last;
      last = created_at;
      return isFirst;
    });
  }),
  /** EOSE overtakes all events. */
  onAnswer("all late", (answer) => ({
    ...answer,
    items: [],
    afterEnd: [...answer.items, ...answer.afterEnd],
  })),
  /** EOSE overtakes the last third. */
  onAnswer("end late", (answer) => {
    const inTime = Math.floor(answer.items.length * 2 / 3);
    return {
      ...answer,
      items: answer.items.slice(0, inTime),
      afterEnd: [...answer.items.slice(inTime), ...answer.afterEnd],
    };
  }),
  /** EOSE never comes. */
  onAnswer("eose lost", (answer) => ({ ...answer, end: { type: "silent" } })),
  /** Nothing ever comes. */
  onAnswer("silent", (answer) => ({
    ...answer,
    items: [],
    end: { type: "silent" },
  })),
  /** CLOSED in the midst. */
  onAnswer("closed", (answer) => ({
    ...answer,
    items: answer.items.slice(0, answer.items.length >> 1),
    end: { type: "closed", reason: "error: shutting down idle subscription" },
  })),
  refused("auth required", "auth-required: members only"),
  refused("rate limited", "rate-limited: slow down"),
  onAnswer("disconnected", (answer) => ({
    ...answer,
    items: answer.items.slice(0, answer.items.length >> 1),
    end: { type: "disconnected" },
  })),
  /** The half, and the word that it was all. */
  onAnswer("finish too early", (answer) => ({
    ...answer,
    items: answer.items.slice(0, Math.ceil(answer.items.length / 2)),
    end: { type: "eose", hint: "finish" },
  })),
  /** All there is in the page, and the word that it was all, whether or not. */
  onAnswer("finish", (answer) => ({
    ...answer,
    end: { type: "eose", hint: "finish" },
  })),
  onAnswer("more", (answer) => ({
    ...answer,
    end: { type: "eose", hint: "more" },
  })),
  /** Frames that are no JSON where events should be. */
  {
    name: "garbled",
    create: ({ random }) => (answer) => ({
      ...answer,
      items: answer.items.map((item) =>
        isEvent(item) && random.chance(15)
          ? {
            type: "garbage",
            text: `["EVENT",{"id":"${item.id}","content":"\u0001`,
          }
          : item
      ),
    }),
  },
  /** Events that cannot be read in whole: a field is missing. */
  {
    name: "malformed",
    create: ({ random }) => (answer) => ({
      ...answer,
      items: answer.items.map((item) =>
        isEvent(item) && random.chance(15)
          ? {
            type: "garbage",
            text: `["EVENT","%s",{"id":"${item.id}","kind":${item.kind}}]`,
          }
          : item
      ),
    }),
  },
  misaddressed("wrong subscription id", "wrong"),
  misaddressed("no subscription id", "none"),
  /** A slow answer, which others overtake. */
  onAnswer("delayed", (answer) => ({ ...answer, delayMs: 15 })),
];

function onAnswer(name: string, apply: (answer: Answer) => Answer): Effect {
  return { name, create: () => apply };
}

function refused(name: string, reason: string): Effect {
  return onAnswer(name, (answer) => ({
    ...answer,
    items: [],
    end: { type: "closed", reason },
  }));
}

function misaddressed(name: string, subscription: "wrong" | "none"): Effect {
  return {
    name,
    create: ({ random }) => (answer) => ({
      ...answer,
      items: answer.items.map((item) =>
        isEvent(item) && random.chance(30)
          ? { type: "misaddressed", event: item, subscription }
          : item
      ),
    }),
  };
}
