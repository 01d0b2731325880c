/**
 * Syncs of an adversary without sockets or a database: the program's own walks, findings, audit and plan, on an archive in
 * memory. Thousands of relays a minute.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { type Filter, matchesFilter } from "../../../src/models/filter.ts";
import {
  intersectWindows,
  mergeWindows,
  OPEN_END,
  subtractWindows,
  type Window,
} from "../../../src/models/window.ts";
import { planWalk } from "../../../src/services/synchronizer/plan.ts";
import type { Finding } from "../../../src/workers/ingest/event_queue.ts";
import type {
  ContradictionKind,
  Proof,
  Retraction,
  Strength,
} from "../../../src/workers/protocol/evidence.ts";
import type {
  NearKeys,
  NearQuery,
} from "../../../src/workers/protocol/messages.ts";
import {
  type GapReason,
  type RelayTraits,
  UNKNOWN_TRAITS,
} from "../../../src/workers/protocol/report.ts";
import type {
  Hole,
  Page,
  PageEnd,
  PageEvent,
  Query,
} from "../../../src/workers/walk/page.ts";
import { RelayProfile } from "../../../src/workers/walk/relay_profile.ts";
import { RequestPolicy } from "../../../src/workers/walk/request_policy.ts";
import { isStable, Witnesses } from "../../../src/workers/walk/witnesses.ts";
import {
  type Counting,
  FilterSync,
} from "../../../src/workers/worker/filter_sync.ts";
import { Findings } from "../../../src/workers/worker/findings.ts";
import type { Adversary } from "./adversary.ts";
import { type AnswerEnd, isEvent, type WireItem } from "./answer.ts";
import { Random } from "./random.ts";
import { MAX_READABLE_LENGTH } from "./spec.ts";

/** What a sync asks at once at most, and for how many events. */
const LIMIT = 500;
const MAX_IN_FLIGHT = 4;

/** Questions that one sync may take before it is given up as endless. */
const MAX_REQUESTS = 3_000;

/** As the configuration has it. */
const WANTED = { lookbackSeconds: 86_400, gapRetrySeconds: 604_800 };

const SETTLING_SECONDS = 60;

/** A sync that took more questions than any should. */
export class EndlessSyncError extends Error {
  override readonly name = "EndlessSyncError";

  constructor() {
    super(`${MAX_REQUESTS} requests of one sync`);
  }
}

/** What ends a sync in its midst, as SIGKILL does: what was found by then stays, and nothing else. */
class KilledError extends Error {
  override readonly name = "KilledError";
}

/** What the syncs of one relay have come to. */
export interface SimulatedArchive {
  readonly stored: ReadonlyMap<string, NostrEvent>;
  readonly covered: readonly Window[];
  /** What is claimed and not only uncontradicted. */
  readonly proven: readonly Window[];
  readonly gaps: readonly (Window & { readonly reason: GapReason })[];
  readonly traits: RelayTraits;
  readonly contradictions: readonly ContradictionKind[];
  readonly requests: readonly number[];
}

/** Syncs a relay so often, some time apart; the first sync is killed after so many requests, if need be. */
export async function syncAdversary(
  relay: Adversary,
  { syncs, pauseSeconds = 900, killedAfter = Infinity }: {
    readonly syncs: number;
    readonly pauseSeconds?: number;
    readonly killedAfter?: number;
  },
): Promise<SimulatedArchive> {
  const archive = new Archive(relay);
  for (let n = 0; n < syncs; n++) {
    if (n > 0) relay.elapse();
    const now = relay.spec.beganAt + n * pauseSeconds;
    await archive.sync(now, n === 0 ? killedAfter : Infinity)
      .catch(unlessKilled);
  }
  return archive;
}

function unlessKilled(error: unknown): void {
  if (!(error instanceof KilledError)) throw error;
}

interface HeldProof extends Proof {
  readonly strength: Strength;
}

class Archive implements SimulatedArchive {
  readonly stored = new Map<string, NostrEvent>();
  readonly contradictions: ContradictionKind[] = [];
  readonly requests: number[] = [];
  traits = UNKNOWN_TRAITS;
  #proofs: HeldProof[] = [];
  #gaps: (Window & { reason: GapReason; reportedAt: number })[] = [];
  #ascending: NostrEvent[] | null = null;
  readonly #relay: Adversary;
  readonly #random: Random;

  constructor(relay: Adversary) {
    this.#relay = relay;
    this.#random = new Random(relay.spec.seed ^ 0x5eed);
  }

  get covered(): Window[] {
    return mergeWindows(this.#proofs);
  }

  get proven(): Window[] {
    return mergeWindows(
      this.#proofs.filter(({ strength }) => strength !== "weak"),
    );
  }

  get gaps() {
    return this.#gaps;
  }

  async sync(now: number, killedAfter: number): Promise<void> {
    const { filter } = this.#relay.spec;
    const { covered } = this;
    const weak = this.#proofs.filter(({ strength }) => strength === "weak");
    const job = planWalk({
      filter,
      since: 0,
      until: null,
      hash: HASH,
      covered,
      gaps: this.#gaps.map((gap) => ({ ...gap, foundAt: 0, attempts: 1 })),
      weak,
      live: [],
      isUnseen: weak.length > 0 && this.stored.size === 0,
    }, {
      context: {
        now,
        settledUntil: now - SETTLING_SECONDS,
        isClockWrong: false,
        repair: null,
      },
      wanted: WANTED,
    });
    if (job === null) return;
    const session = new Session(this.#relay, {
      archive: this,
      now,
      killedAfter,
    });
    const profile = new RelayProfile(this.traits);
    const { times } = this.traits.caught;
    const findings = new Findings(job, {
      sink: (finding) => this.#take(finding, now),
      caught: times,
    });
    const sync = new FilterSync(job, findings, {
      profile,
      policy: new RequestPolicy(LIMIT, MAX_IN_FLIGHT),
      witnesses: new Witnesses(),
      authors: () => [
        ...new Set([...this.stored.values()].map((e) => e.pubkey)),
      ],
      now,
      settledBefore: now - SETTLING_SECONDS,
      fetch: (query, repeats) =>
        session.fetch(query, {
          accept: (event) => {
            if (!repeats?.has(event)) this.#store(event);
          },
          late: (event) => {
            if (event.created_at < now - SETTLING_SECONDS) {
              findings.late(query.window, event.id);
            }
          },
          lateUnread: (hole) => findings.hole(hole, hole.reason),
        }),
      near: (query) => Promise.resolve(this.#near(query)),
      sighted: ({ filter, window }) =>
        Promise.resolve(
          [...this.stored.values()].filter((event) =>
            event.created_at >= window.since &&
            event.created_at <= window.until && matchesFilter(filter, event)
          ).length,
        ),
      archived: (events) =>
        Promise.resolve(events.filter(({ id }) => this.stored.has(id))),
      flush: () => Promise.resolve(),
      renew: () => Promise.resolve(session.renew()),
      reconciling: null,
      counting: session.counting,
      limit: LIMIT,
      random: () => this.#random.next(),
      onState: () => {},
      signal: NEVER,
    });
    await sync.walk();
    const { report, retractions } = await sync.audit(1);
    for (const retraction of retractions) this.#retract(retraction, now);
    const kinds = report.contradictions.map(({ kind }) => kind);
    this.contradictions.push(...kinds);
    if (kinds.length > 0) profile.caught(kinds, now);
    this.traits = { ...profile.traits, lingerMs: session.isLate ? 200 : 0 };
    this.requests.push(session.requests);
  }

  #store(event: NostrEvent): void {
    if (this.stored.has(event.id)) return;
    this.stored.set(event.id, event);
    this.#ascending = null;
  }

  #take(finding: Finding, now: number): void {
    const { since, until } = finding.type === "open"
      ? finding.gap
      : finding.proof;
    const window = { since, until };
    if (finding.type === "open") {
      const { reason } = finding.gap;
      for (const open of subtractWindows(window, this.covered)) {
        this.#gaps = minus(this.#gaps, open);
        this.#gaps.push({ ...open, reason, reportedAt: now });
      }
      return;
    }
    const { method, strength, support } = finding.proof;
    this.#proofs = minus(this.#proofs, window);
    this.#proofs.push({ ...window, method, strength, support });
    this.#gaps = minus(this.#gaps, window);
  }

  #retract({ since, until, cause }: Retraction, now: number): void {
    const window = { since, until };
    const taken = this.covered
      .flatMap((covered) => intersectWindows(covered, window) ?? []);
    this.#proofs = minus(this.#proofs, window);
    const reason = cause.kind === "late" ? "late" : "contradicted";
    for (const open of taken) {
      this.#gaps.push({ ...open, reason, reportedAt: now });
    }
  }

  #near({ filter, at, below, above }: NearQuery): NearKeys {
    this.#ascending ??= [...this.stored.values()].sort((a, b) =>
      a.created_at - b.created_at || (a.id < b.id ? -1 : 1)
    );
    const matching = this.#ascending
      .filter((event) => matchesFilter(filter, event));
    const first = matching.findIndex(({ created_at }) => created_at > at);
    const middle = first < 0 ? matching.length : first;
    const near = matching.slice(Math.max(0, middle - below), middle + above);
    return {
      ids: Uint8Array.fromHex(near.map(({ id }) => id).join("")),
      createdAt: Float64Array.from(near, ({ created_at }) => created_at),
      stable: Uint8Array.from(near, ({ kind }) => isStable(kind) ? 1 : 0),
    };
  }
}

const HASH = "00";
const NEVER = new AbortController().signal;

function minus<T extends Window>(windows: readonly T[], hole: Window): T[] {
  return windows.flatMap((window) =>
    window.until < hole.since || window.since > hole.until
      ? [window]
      : subtractWindows(window, [hole]).map((rest) => ({ ...window, ...rest }))
  );
}

/** Takes what an answer brings. */
interface Sink {
  accept(event: NostrEvent): void;
  late(event: NostrEvent): void;
  lateUnread(hole: Hole): void;
}

/** One sync's connections to the relay, as `RelayRequests` has them. */
class Session {
  readonly #relay: Adversary;
  readonly #nowMs: number;
  #connection: number;
  requests = 0;
  isLate = false;
  #lingers: boolean;
  readonly #killedAfter: number;

  constructor(
    relay: Adversary,
    { archive, now, killedAfter }: {
      readonly archive: Archive;
      readonly now: number;
      readonly killedAfter: number;
    },
  ) {
    this.#relay = relay;
    this.#nowMs = now * 1_000;
    this.#killedAfter = killedAfter;
    this.#connection = relay.connect();
    const { order, lingerMs } = archive.traits;
    this.#lingers = order === "unknown" || lingerMs > 0;
  }

  renew(): void {
    this.#connection = this.#relay.connect();
  }

  /** COUNT, answered at once. */
  get counting(): Counting {
    let pending: { filter: Filter; window: Window } | null = null;
    const ask = (filter: Filter, { since, until }: Window) => {
      this.requests += 1;
      const bounded = { ...filter, ...(since > 0 && { since }), until };
      const answer = this.#relay.count(
        this.#connection,
        bounded,
        this.#nowMs,
      );
      return answer === null || answer.approximate ? null : answer.count;
    };
    return {
      begin: (filter, window) => {
        if (window.until - window.since >= 604_800) {
          pending = { filter, window };
        }
      },
      finish: async (filter, sighted) => {
        const asked = pending;
        pending = null;
        if (asked === null) return { type: "none" };
        const { window } = asked;
        const relay = ask(filter, window);
        const known = await sighted(filter, window);
        if (relay === null || known === null) return { type: "none" };
        if (relay <= known) return { type: "agrees", relay, window };
        return { type: "more", relay, window };
      },
    };
  }

  async fetch(query: Query, sink: Sink): Promise<Page> {
    if (++this.requests > MAX_REQUESTS) {
      throw new EndlessSyncError();
    }
    if (this.requests > this.#killedAfter) throw new KilledError();
    if (query.isFresh) this.renew();
    const filters = [query.filter, ...query.extraFilters ?? []];
    for (const { since = 0, until = Infinity } of filters) {
      assert.ok(since <= until, `since ${since} is above until ${until}`);
    }
    const asked = this.#relay.open(this.#connection, {
      filters,
      nowMs: this.#nowMs,
    });
    // Others that are asked at the same time are under way now.
    await Promise.resolve();
    await Promise.resolve();
    const answer = asked.answer();
    asked.close();
    if (answer.end.type === "disconnected") this.renew();
    const items = this.#lingers
      ? [...answer.items, ...answer.afterEnd]
      : answer.items;
    if (answer.afterEnd.length > 0) this.isLate = true;
    this.#lingers &&= answer.afterEnd.length > 0 || this.isLate;
    const page = toPage(query, items, endOf(answer.end));
    for (const item of items) {
      if (isReadable(item) && isWanted(query, item)) {
        if (!query.evidenceOnly) sink.accept(item);
      }
    }
    if (!this.#lingers) this.#late(query, answer.afterEnd, sink);
    if (this.isLate) this.#lingers = true;
    return page;
  }

  #late(query: Query, items: readonly WireItem[], sink: Sink): void {
    for (const item of items) {
      if (!isReadable(item)) {
        sink.lateUnread({ ...query.window, reason: "unread" });
      } else if (isWanted(query, item)) {
        sink.accept(item);
        sink.late(item);
      }
    }
  }
}

function isReadable(item: WireItem): item is NostrEvent {
  return isEvent(item) && item.content.length <= MAX_READABLE_LENGTH;
}

function isWanted(query: Query, event: NostrEvent): boolean {
  const { since: _since, until: _until, limit: _limit, ...rest } =
    query.match ?? query.filter;
  return event.created_at >= query.window.since &&
    event.created_at <= query.window.until && matchesFilter(rest, event);
}

function endOf(end: AnswerEnd): PageEnd {
  switch (end.type) {
    case "eose":
      return { type: "eose", hint: end.hint };
    case "closed":
      return { type: "failed", reason: "refused" };
    case "silent":
      return { type: "failed", reason: "timeout" };
    case "disconnected":
      return { type: "failed", reason: "disconnected" };
  }
}

function toPage(
  query: Query,
  items: readonly WireItem[],
  end: PageEnd,
): Page {
  const { since, until } = query.window;
  const events: PageEvent[] = [];
  const accepted: PageEvent[] = [];
  const extra: PageEvent[] = [];
  const marks: { place: number; at: number | null }[] = [];
  const seen = new Set<string>();
  let strangers = 0;
  let newer = 0;
  let older = 0;
  let lowest = OPEN_END;
  for (const item of items) {
    if (!isEvent(item)) {
      marks.push({ place: events.length, at: null });
      strangers += 1;
      continue;
    }
    if (seen.has(item.id)) continue;
    seen.add(item.id);
    if (item.content.length > MAX_READABLE_LENGTH) {
      if (item.created_at >= since && item.created_at <= until) {
        marks.push({ place: events.length, at: item.created_at });
      }
      strangers += 1;
      seen.delete(item.id);
      continue;
    }
    const event = toPageEvent(item);
    const isExtra = !isWanted(query, item) &&
      (query.extraFilters ?? []).some((filter) => matchesFilter(filter, item));
    if (isExtra) {
      extra.push(event);
      seen.delete(item.id);
    } else if (item.created_at > until) newer += 1;
    else if (item.created_at < since) {
      older += 1;
      lowest = Math.min(lowest, item.created_at);
    } else {
      events.push(event);
      if (!query.evidenceOnly && isWanted(query, item)) accepted.push(event);
    }
  }
  return {
    events,
    accepted,
    extra,
    size: items.length - extra.length,
    newer,
    older,
    lowest,
    unread: marks.map(({ place, at }): Hole =>
      at === null
        ? {
          since: events[place]?.createdAt ?? since,
          until: events[place - 1]?.createdAt ?? until,
          reason: "unread",
        }
        : { since: at, until: at, reason: "too-large" }
    ),
    isShared: false,
    backpressured: false,
    limit: query.limit,
    end,
  };
}

function toPageEvent(event: NostrEvent): PageEvent {
  const { id, created_at: createdAt, kind, pubkey, sig } = event;
  return { id, createdAt, kind, pubkey, sig };
}
