/**
 * A transformer: one thing that relays do to their answers, as a small value with parameters and without I/O.
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import type { Answer, CountAnswer, Question } from "./answer.ts";
import type { HeldEvents } from "./held_events.ts";
import type { Random } from "./random.ts";
import type { AdversarySpec, ParameterValues } from "./spec.ts";

/** Hooks into an answer, in the order in which they run. What is left out is as an honest relay does it. */
export interface Behaviour {
  /** A question has come; what is drawn for it is drawn here. */
  readonly begins?: (question: Question) => void;
  /** What the relay takes a filter for; null when it finds nothing for it. */
  readonly hears?: (filter: Filter, question: Question) => Filter | null;
  /** Whether it looks at an event at all for a filter (as sent): what it does not see counts for no limit. */
  readonly sees?: (
    event: NostrEvent,
    filter: Filter,
    question: Question,
  ) => boolean;
  /** Most events for a filter (as sent). */
  readonly limits?: (
    limit: number,
    filter: Filter,
    question: Question,
  ) => number;
  /** Order of all that match, from which the first are taken. */
  readonly arranges?: (events: readonly NostrEvent[]) => readonly NostrEvent[];
  /** The answer to a REQ, from what was found. */
  readonly answers?: (answer: Answer, question: Question) => Answer;
  /** The answer to a COUNT. */
  readonly counts?: (count: CountAnswer, question: Question) => CountAnswer;
  /** The events whose ids are listed by NIP-77. */
  readonly lists?: (
    events: readonly NostrEvent[],
    question: Question,
  ) => readonly NostrEvent[];
  /** Whether answers to questions that wait at the same time are given to each other. */
  readonly swaps?: () => boolean;
  /** A sync has ended, and the next one will begin. */
  readonly elapses?: () => void;
  /** Whether nobody can ever have the event, or know of it. */
  readonly hides?: (event: NostrEvent) => boolean;
}

/** What a behaviour is made with. */
export interface BehaviourDeps {
  /** Of this transformer alone: what others draw does not change it. */
  readonly random: Random;
  /** Fixed for the spec, different for each transformer. */
  readonly salt: number;
  readonly held: HeldEvents;
  readonly spec: AdversarySpec;
}

/** A transformer as it stands in the catalogue. */
export interface Transformer {
  readonly name: string;
  /** Whether an honest relay may do it: it must not be accused, and all must be had of it. */
  readonly isHonest: boolean;
  /** What the relay has to offer for it to be seen. */
  readonly needs: "count" | "negentropy" | null;
  /** By name, the values that are tried, ascending; the generator draws between them, too. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly create: (
    parameters: ParameterValues,
    deps: BehaviourDeps,
  ) => Behaviour;
}

interface Definition<P extends string> {
  readonly name: string;
  readonly isHonest?: boolean;
  readonly needs?: "count" | "negentropy";
  readonly parameters: Readonly<Record<P, readonly number[]>>;
  readonly create: (
    parameters: Readonly<Record<P, number>>,
    deps: BehaviourDeps,
  ) => Behaviour;
}

/** Defines a transformer; dishonest unless said otherwise. */
export function transformer<P extends string>(
  { name, isHonest = false, needs, parameters, create }: Definition<P>,
): Transformer {
  const names = Object.keys(parameters);
  const hasAll = (
    values: ParameterValues,
  ): values is Readonly<Record<P, number>> =>
    names.every((name) => values[name] !== undefined);
  return {
    name,
    isHonest,
    needs: needs ?? null,
    parameters,
    create(values, deps) {
      if (!hasAll(values)) {
        throw new Error(`Cannot make "${name}" of ${JSON.stringify(values)}`);
      }
      return create(values, deps);
    },
  };
}
