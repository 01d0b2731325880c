/**
 * What a number of facts come to, gathered in memory.
 *
 * @module
 */
import type { Authors } from "./authors.ts";
import { Cells } from "./cells.ts";
import { dayOf, hourOf, minuteOf } from "./moments.ts";
import { SketchChanges, SUBJECTS } from "./sketch_changes.ts";

/** The place of authors who throw their keys away: they are counted, not told apart. */
export const NOBODY = -1;

/** An event that was stored or deleted. */
export interface EventChange {
  readonly sign: 1 | -1;
  readonly createdAt: number;
  readonly kind: number;
  /** Its place in `Authors`, or NOBODY. */
  readonly author: number;
}

/** A sighting that was recorded or deleted. */
export interface SightingChange extends EventChange {
  readonly relayId: number;
  /** Number of the relay's network. */
  readonly network: number;
  /** What the event is in a sketch. */
  readonly eventEntry: number;
}

/** Sums over the authors of what was folded. */
export interface AuthorSums {
  events: number;
  firstAt: number;
  lastAt: number;
  isLess: boolean;
}

/** An author on a relay. */
export interface RelayAuthorSums extends AuthorSums {
  readonly relayId: number;
  readonly author: number;
  readonly kinds: Set<number>;
}

export class StatisticsChanges {
  readonly minutes: Cells = new Cells();
  readonly kindHours: Cells = new Cells();
  readonly kindDays: Cells = new Cells();
  readonly kinds: Cells = new Cells();
  /** By day and place of the author. */
  readonly authorDays: Cells = new Cells();
  readonly relayDays: Cells = new Cells();
  readonly relayKinds: Cells = new Cells();
  /** By place. */
  readonly authorSums: Map<number, AuthorSums> = new Map();
  readonly relayAuthorSums: Map<number, RelayAuthorSums> = new Map();
  readonly sketches: SketchChanges = new SketchChanges();
  readonly #authors: Authors;
  readonly #hoursSince: number;

  /** @param hoursSince The first hour that hours and minutes are kept of. */
  constructor(authors: Authors, hoursSince: number) {
    this.#authors = authors;
    this.#hoursSince = hoursSince;
  }

  addEvent({ sign, createdAt, kind, author }: EventChange): void {
    const day = dayOf(createdAt);
    const hour = hourOf(createdAt);
    if (hour >= this.#hoursSince) {
      this.kindHours.add(hour, kind, sign);
      this.minutes.add(minuteOf(createdAt), 0, sign);
    }
    this.kindDays.add(day, kind, sign);
    this.kinds.add(kind, 0, sign);
    if (author === NOBODY) return;
    this.authorDays.add(day, author, sign);
    let sums = this.authorSums.get(author);
    if (sums === undefined) {
      sums = { events: 0, firstAt: Infinity, lastAt: -1, isLess: false };
      this.authorSums.set(author, sums);
    }
    count(sums, sign, createdAt);
    const entry = this.#authors.entry(author);
    this.sketches.add(SUBJECTS.kindDay, day, kind, sign, entry);
    this.sketches.add(SUBJECTS.kind, kind, 0, sign, entry);
  }

  addSighting(change: SightingChange): void {
    const { sign, createdAt, kind, author, relayId, network } = change;
    this.relayDays.add(relayId, dayOf(createdAt), sign);
    this.relayKinds.add(relayId, kind, sign);
    const { sketches } = this;
    sketches.add(SUBJECTS.relayEvents, relayId, 0, sign, change.eventEntry);
    sketches.add(SUBJECTS.networkEvents, network, 0, sign, change.eventEntry);
    // An event stands for the author that only it has.
    const entry = author === NOBODY
      ? change.eventEntry
      : this.#authors.entry(author);
    sketches.add(SUBJECTS.relay, relayId, 0, sign, entry);
    sketches.add(SUBJECTS.network, network, 0, sign, entry);
    if (author === NOBODY) return;
    sketches.add(SUBJECTS.relayKind, relayId, kind, sign, entry);
    const key = relayId * 2 ** 26 + author;
    let sums = this.relayAuthorSums.get(key);
    if (sums === undefined) {
      sums = {
        relayId,
        author,
        events: 0,
        firstAt: Infinity,
        lastAt: -1,
        isLess: false,
        kinds: new Set(),
      };
      this.relayAuthorSums.set(key, sums);
    }
    count(sums, sign, createdAt);
    if (sign === 1) sums.kinds.add(kind);
  }
}

function count(sums: AuthorSums, sign: 1 | -1, createdAt: number): void {
  sums.events += sign;
  if (sign === -1) {
    sums.isLess = true;
    return;
  }
  if (createdAt < sums.firstAt) sums.firstAt = createdAt;
  if (createdAt > sums.lastAt) sums.lastAt = createdAt;
}
