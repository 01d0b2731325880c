/**
 * The live tail: once everything wanted is proven, the connection stays open, what comes is archived at once, and the
 * upper edge of what is proven moves with it.
 *
 * Subscribe first, then walk what was stored meanwhile: so there is no hole between the walks and the subscription,
 * however much it is. After that a moment is claimed when a ping sent at it was answered, behind all that came before
 * the answer. A line that is down, or half open, answers none.
 *
 * @module
 */
import type { RelayClient } from "../../nips/client/relay_client.ts";
import type { ReqOutcome } from "../../nips/client/req_outcome.ts";
import type { Ingest } from "../ingest/ingest.ts";
import { LiveReader } from "./live_reader.ts";
import { sleep } from "../../base/sleep.ts";
import type { LiveEnd, LiveEndReason } from "../protocol/report.ts";
import type { LiveJob, SyncBounds, WalkJob } from "../protocol/job.ts";
import { OPEN_END } from "../../models/window.ts";

import type { RecentEvents } from "../ingest/recent_events.ts";
import type { RelayRequests } from "../worker/relay_requests.ts";

export interface LiveDeps {
  readonly walks: readonly WalkJob[];
  readonly bounds: SyncBounds;
  readonly line: RelayRequests;
  readonly ingest: Ingest;
  /** What the session has seen lately. */
  readonly recent: RecentEvents;
  /** Unix seconds by the database's clock. */
  readonly clock: () => number;
  /** Walks a filter as in paging; anything but null when it broke off. */
  walk(job: WalkJob): Promise<string | null>;
  readonly signal: AbortSignal;
}

/** Stays with the relay until there is a reason not to. Rejects only when the session was abandoned. */
export async function keepLive(
  job: LiveJob,
  deps: LiveDeps,
): Promise<LiveEnd> {
  const startedAt = performance.now();
  const reader = new LiveReader({ ...deps, ...job });
  const connected = await deps.line.connect();
  const reason = connected.ok
    ? await followLive(job, deps, { client: connected.value, reader })
    : "disconnected";
  const seconds = Math.round(performance.now() - startedAt) / 1_000;
  return { reason, events: reader.received, seconds };
}

/** What a relay may send of what it has stored. Not zero, by which some relays understand everything. */
const STORED_EVENTS = 1;

interface TailDeps {
  readonly client: RelayClient;
  readonly reader: LiveReader;
}

async function followLive(
  job: LiveJob,
  deps: LiveDeps,
  tail: TailDeps,
): Promise<LiveEndReason> {
  // The walk that joins it to what was stored may go over to another connection.
  using _held = deps.line.hold(tail.client);
  return await new LiveTail(job, deps, tail).run();
}

class LiveTail {
  readonly #job: LiveJob;
  readonly #deps: LiveDeps;
  readonly #client: RelayClient;
  readonly #reader: LiveReader;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #reason: LiveEndReason | null = null;
  /** The last second that is proven, once the subscriptions are joined to the walks. */
  readonly #edges = new Map<WalkJob, number>();

  constructor(job: LiveJob, deps: LiveDeps, { client, reader }: TailDeps) {
    this.#job = job;
    this.#deps = deps;
    this.#client = client;
    this.#reader = reader;
    this.#signal = AbortSignal.any([deps.signal, this.#stop.signal]);
  }

  async run(): Promise<LiveEndReason> {
    const walks = this.#deps.walks.filter(isOpenEnded);
    const eoses = walks.map(() => Promise.withResolvers<void>());
    const following = walks.map((walk, i) =>
      this.#follow(walk, () => eoses[i]?.resolve())
    );
    const isOver = Promise.all(following).then(() => false);
    const allOpen = Promise.all(eoses.map(({ promise }) => promise));
    const timer = setTimeout(() => this.#end("recheck"), this.#job.endAfterMs);
    try {
      if (await Promise.race([allOpen.then(() => true), isOver])) {
        await this.#join(walks);
        await this.#keepClaiming();
      }
    } finally {
      clearTimeout(timer);
    }
    await Promise.all(following);
    return this.#reason ?? "stopped";
  }

  /** Takes what comes for one filter, until all end. */
  async #follow(walk: WalkJob, onEose: () => void): Promise<void> {
    const { line, ingest, bounds } = this.#deps;
    const { since } = this.#job;
    const from = since > 0 ? { since } : {};
    const chunks = this.#client.subscribe(
      { ...walk.filter, ...from, limit: STORED_EVENTS },
      {
        signal: this.#signal,
        idleTimeoutMs: bounds.idleTimeoutMs,
        totalTimeoutMs: bounds.requestTimeoutMs,
        maxEvents: Infinity,
        maxBytes: Infinity,
        live: { onEose, onAlive: (sentAt) => this.#claim(walk, sentAt) },
      },
    );
    line.requests += 1;
    try {
      while (this.#reason === null) {
        const chunk = await chunks.next();
        if (chunk.done) return this.#end(reasonOf(chunk.value));
        line.received += chunk.value.length;
        const unbearable = this.#reader.take(walk.filter, chunk.value);
        if (unbearable !== null) return this.#end(unbearable);
        await ingest.room();
      }
    } finally {
      this.#stop.abort();
      await chunks.return({ type: "aborted" });
    }
  }

  /** Walks what was stored between the walks and the subscriptions. */
  async #join(walks: readonly WalkJob[]): Promise<void> {
    const provenUntil = this.#deps.clock() - this.#job.settlingSeconds;
    for (const walk of walks) {
      const walked = walk.provenUntil ?? provenUntil;
      const since = Math.max(0, walked - this.#job.settlingSeconds);
      const windows = [{ since, until: OPEN_END }];
      const broken = await this.#deps.walk({
        ...walk,
        windows,
        provenUntil,
        repairs: [],
        weak: [],
      });
      if (broken !== null) return this.#end("behind");
      this.#edges.set(walk, provenUntil);
    }
  }

  async #keepClaiming(): Promise<void> {
    const signal = this.#signal;
    const timeoutMs = this.#deps.bounds.idleTimeoutMs;
    while (!signal.aborted) {
      await sleep(this.#job.proveEveryMs, signal);
      const answer = await this.#client.ping({ signal, timeoutMs });
      if (answer === "silent") return this.#end(answer);
      if (answer === "over") return;
    }
  }

  /** Everything that came before a ping sent at this moment was answered has been taken. */
  #claim(walk: WalkJob, sentAt: number): void {
    const edge = this.#edges.get(walk);
    const ago = Math.ceil((Date.now() - sentAt) / 1_000);
    const until = this.#deps.clock() - ago - this.#job.settlingSeconds;
    if (edge === undefined || until <= edge) return;
    const { filter, filterHash } = walk;
    this.#edges.set(walk, until);
    this.#deps.ingest.add({
      type: "proven",
      proof: {
        since: edge + 1,
        until,
        filter,
        filterHash,
        method: "live",
        strength: "weak",
        support: { questions: 1, witness: null, counts: null },
      },
    });
  }

  /** The first reason counts. */
  #end(reason: LiveEndReason): void {
    this.#reason ??= this.#deps.signal.aborted ? "stopped" : reason;
    this.#stop.abort();
  }
}

/** Where the archive wants what is to come. */
function isOpenEnded({ windows }: WalkJob): boolean {
  return windows.some(({ until }) => until === OPEN_END);
}

function reasonOf(outcome: ReqOutcome): LiveEndReason {
  switch (outcome.type) {
    case "aborted":
      return "stopped";
    case "disconnected":
      return "disconnected";
    case "closed":
    case "notice":
    case "eose":
      return "closed";
    case "timeout":
      return "silent";
    case "over-budget":
      return "flood";
  }
}
