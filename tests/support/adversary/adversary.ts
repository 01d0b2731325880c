/**
 * A relay as a pure state machine: honest by its core, and whatever its transformers make of it.
 *
 *     const relay = new Adversary(drawSpec(7));
 *     const connection = relay.connect();
 *     const answer = relay.ask(connection, { filters: [{ limit: 100 }], nowMs });
 *
 * The same calls in the same order have the same answers. Nothing here waits, and no clock is read.
 *
 * @module
 */
import type { NostrEvent } from "../../../src/models/event.ts";
import type { Filter } from "../../../src/models/filter.ts";
import type { Answer, CountAnswer, Question } from "./answer.ts";
import { transformerNamed } from "./catalogue.ts";
import { type Delivery, fakeCorpus } from "./corpus.ts";
import { HeldEvents, matcherOf, type Selection } from "./held_events.ts";
import { mix, Random } from "./random.ts";
import type { AdversarySpec } from "./spec.ts";
import type { Behaviour } from "./transformer.ts";

/** Number of a connection, from 1. */
export type ConnectionId = number;

/** A REQ. */
export interface Ask {
  readonly filters: readonly Filter[];
  readonly nowMs: number;
}

/** A subscription that has been opened. */
export interface OpenAsk {
  /** Its answer, the same each time. What is open at the same time and has no answer yet may get it instead. */
  answer(): Answer;
  /** CLOSE: it counts as open no longer. */
  close(): void;
}

/** What is dated at most so many seconds before it is stored, a client finds in its next sync. */
const LOOKBACK_SECONDS = 86_400 - 3_600;

interface Arrived {
  /** Unix seconds. */
  readonly at: number;
  /** Syncs that had begun by then. */
  readonly syncs: number;
}

interface Waiting {
  readonly question: Question;
  answer: Answer | null;
}

interface Connection {
  questions: number;
  isCut: boolean;
  readonly open: Set<Waiting>;
}

export class Adversary {
  readonly held = new HeldEvents();
  readonly #behaviours: readonly Behaviour[];
  readonly #connections: Connection[] = [];
  readonly #arrived = new Map<string, Arrived>();
  #deliveries: Delivery[];
  #questions = 0;
  #syncs = 1;
  #now: number;

  /** A relay that is about to be synced for the first time. Without a corpus it holds unsigned events. */
  constructor(
    readonly spec: AdversarySpec,
    corpus: readonly Delivery[] = fakeCorpus(spec),
  ) {
    this.#now = spec.beganAt;
    this.held.add(
      corpus.flatMap(({ arrival, events }) => arrival === null ? events : []),
    );
    this.#deliveries = corpus.filter(({ arrival }) => arrival !== null);
    this.#behaviours = spec.transformers.map(({ name, parameters }, place) => {
      const salt = mix(spec.seed, place + 1);
      const random = new Random(salt);
      const { held } = this;
      return transformerNamed(name)
        .create(parameters, { random, salt, held, spec });
    });
  }

  /** Whether an honest relay may be like that. */
  get isHonest(): boolean {
    return this.spec.transformers
      .every(({ name }) => transformerNamed(name).isHonest);
  }

  connect(): ConnectionId {
    const open = new Set<Waiting>();
    return this.#connections.push({ questions: 0, isCut: false, open });
  }

  /** A REQ that is answered and closed at once. */
  ask(connection: ConnectionId, ask: Ask): Answer {
    const open = this.open(connection, ask);
    const answer = open.answer();
    open.close();
    return answer;
  }

  /** A REQ; on a connection that has been cut, its answer is that. */
  open(connection: ConnectionId, { filters, nowMs }: Ask): OpenAsk {
    const line = this.#connection(connection);
    const waiting: Waiting = {
      question: this.#question("REQ", connection, { filters, nowMs }),
      answer: null,
    };
    line.open.add(waiting);
    return {
      answer: () => waiting.answer ?? this.#answer(line, waiting),
      close: () => void line.open.delete(waiting),
    };
  }

  /** A COUNT of one filter; null where the relay does not know it. */
  count(
    connection: ConnectionId,
    filter: Filter,
    nowMs: number,
  ): CountAnswer | null {
    if (!this.spec.hasCount) return null;
    const asked = { filters: [filter], nowMs };
    const question = this.#question("COUNT", connection, asked);
    this.#begin(question);
    const { found } = this.#select(filter, question, Infinity);
    const count = { count: found.length, approximate: false };
    return this.#behaviours.reduce<CountAnswer>(
      (count, { counts }) => counts?.(count, question) ?? count,
      count,
    );
  }

  /** What is listed by NIP-77 for a filter, newest first; null where the relay does not know it. */
  list(
    connection: ConnectionId,
    filter: Filter,
    nowMs: number,
  ): readonly NostrEvent[] | null {
    if (!this.spec.hasNegentropy) return null;
    const { limit: _, ...unlimited } = filter;
    const asked = { filters: [unlimited], nowMs };
    const question = this.#question("NEG", connection, asked);
    this.#begin(question);
    const { found } = this.#select(unlimited, question, Infinity);
    return this.#behaviours.reduce<readonly NostrEvent[]>(
      (events, { lists }) => lists?.(events, question) ?? events,
      found,
    );
  }

  /** A sync has ended; what happens until the next one begins happens now. */
  elapse(): void {
    this.#deliver(({ arrival }) =>
      arrival !== null && "afterSync" in arrival &&
      arrival.afterSync <= this.#syncs
    );
    for (const { elapses } of this.#behaviours) elapses?.();
    this.#syncs++;
  }

  /** Stores events at once. */
  publish(events: readonly NostrEvent[], now = this.#now): void {
    this.held.add(events);
    const arrived = { at: now, syncs: this.#syncs };
    for (const { id } of events) this.#arrived.set(id, arrived);
  }

  /**
   * The wanted events that it holds now, and that a patient client could have, or know of, by any questions, and
   * archive: without those that are hidden from everybody always, or dated beyond what a number can say.
   */
  obtainable(): NostrEvent[] {
    const isWanted = matcherOf(this.spec.filter);
    return this.held.all.filter((event) =>
      isWanted(event) && Number.isSafeInteger(event.created_at) &&
      !this.#behaviours.some(({ hides }) => hides?.(event))
    );
  }

  /**
   * Whether a client that has done its last sync had to find the event: it was there from the start, or came before
   * that sync and not later than a look back reaches. Others may be missing where all is claimed.
   */
  isSettled({ id, created_at }: NostrEvent): boolean {
    const arrived = this.#arrived.get(id);
    if (arrived === undefined) return true;
    return arrived.syncs < this.#syncs &&
      arrived.at - created_at <= LOOKBACK_SECONDS;
  }

  #answer(line: Connection, waiting: Waiting): Answer {
    if (line.isCut) {
      return waiting.answer = {
        items: [],
        end: { type: "disconnected" },
        afterEnd: [],
        delayMs: 0,
      };
    }
    const other = [...line.open].find((other) =>
      other !== waiting && other.answer === null
    );
    const isSwapped = other !== undefined &&
      this.#behaviours.some(({ swaps }) => swaps?.());
    const own = this.#transform(waiting.question);
    if (isSwapped) {
      waiting.answer = this.#transform(other.question);
      other.answer = own;
    } else waiting.answer = own;
    if (waiting.answer.end.type === "disconnected") line.isCut = true;
    return waiting.answer;
  }

  #transform(question: Question): Answer {
    this.#begin(question);
    return this.#behaviours.reduce<Answer>(
      (answer, { answers }) => answers?.(answer, question) ?? answer,
      this.#found(question),
    );
  }

  /** Right before its answer is made: what is drawn for one question is not meant for another that waits as well. */
  #begin(question: Question): void {
    for (const { begins } of this.#behaviours) begins?.(question);
  }

  /** All filters together, in their order, each event once. */
  #found(question: Question): Answer {
    const { filters } = question;
    let isWhole = true;
    const pages = filters.map((filter) => {
      const limit = this.#behaviours.reduce(
        (limit, { limits }) => limits?.(limit, filter, question) ?? limit,
        Math.min(filter.limit ?? Infinity, this.spec.cap),
      );
      const selected = this.#select(filter, question, limit);
      isWhole &&= selected.isWhole;
      return selected.found;
    });
    const hint = !this.spec.hasHints ? undefined : isWhole ? "finish" : "more";
    return {
      items: pages.length === 1 ? pages[0]! : [...new Set(pages.flat())],
      end: { type: "eose", hint },
      afterEnd: [],
      delayMs: 0,
    };
  }

  #select(filter: Filter, question: Question, limit: number) {
    let heard: Filter = filter;
    for (const { hears } of this.#behaviours) {
      const next = hears === undefined ? heard : hears(heard, question);
      if (next === null) return { found: [], isWhole: true };
      heard = next;
    }
    return this.held.select(heard, this.#selection(filter, question, limit));
  }

  #selection(filter: Filter, question: Question, limit: number): Selection {
    const seeing = this.#behaviours.flatMap(({ sees }) => sees ?? []);
    const arranging = this.#behaviours.flatMap(({ arranges }) =>
      arranges ?? []
    );
    return {
      limit,
      sees: seeing.length === 0
        ? undefined
        : (event) => seeing.every((sees) => sees(event, filter, question)),
      arranges: arranging.length === 0
        ? undefined
        : (events) =>
          arranging.reduce((events, arranges) => arranges(events), events),
    };
  }

  #question(type: Question["type"], id: ConnectionId, ask: Ask): Question {
    const connection = this.#connection(id);
    const now = this.#now = Math.floor(ask.nowMs / 1_000);
    const total = ++this.#questions;
    this.#deliver(({ arrival }) =>
      arrival !== null && "beforeQuestion" in arrival &&
      arrival.beforeQuestion <= total
    );
    return {
      type,
      connection: id,
      nth: ++connection.questions,
      total,
      open: connection.open.size + 1,
      filters: ask.filters,
      now,
    };
  }

  #deliver(isDue: (delivery: Delivery) => boolean): void {
    if (this.#deliveries.length === 0) return;
    for (const delivery of this.#deliveries.filter(isDue)) {
      this.publish(delivery.events);
    }
    this.#deliveries = this.#deliveries.filter((delivery) => !isDue(delivery));
  }

  #connection(id: ConnectionId): Connection {
    const connection = this.#connections[id - 1];
    if (connection === undefined) throw new Error(`No connection ${id}`);
    return connection;
  }
}
