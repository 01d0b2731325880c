/**
 * Settles windows by NIP-77: what the relay lists against what it is known to list, the difference fetched, and the
 * relay's word that nothing else differs.
 *
 * What is too much for one comparison is cut, and the newest part comes first. What cannot be settled so is left to
 * others.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import { subtractWindows, type Window } from "../../models/window.ts";
import type { Support } from "../protocol/evidence.ts";
import { SortedKeys } from "../../nips/negentropy/sorted_keys.ts";
import { locate, reconcile } from "../../nips/nip77/reconcile.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { NegentropyJob, SyncBounds, WalkJob } from "../protocol/job.ts";
import type { HostLink } from "../worker/host_link.ts";

import type { RelayRequests } from "../worker/relay_requests.ts";
import type { WalkFindings } from "../walk/ask.ts";
import { type FetchEnd, type FetchPage, IdFetch } from "./id_fetch.ts";
import { changedKeys, keysIn, NO_KEYS, sortedKeys } from "./key_list.ts";
import { checkList } from "./whole_list.ts";

import { readVector } from "./own_vector.ts";
import { boundedFilter, cutPart, type Part, type ReadPart } from "./part.ts";
import { NegentropyTrust } from "./trust.ts";
import {
  type Classification,
  classify,
  type CompareOutcome,
  type PartOutcome,
} from "./outcome.ts";

export interface ReconcilerDeps {
  readonly job: NegentropyJob;
  readonly bounds: SyncBounds;
  readonly line: RelayRequests;
  readonly link: HostLink;
  readonly ingest: Ingest;
  readonly fetch: FetchPage;
  /** Unix seconds at planning, by the database's clock. */
  readonly now: number;
  /** Called at the relay's first answer. */
  readonly onFirstAnswer: () => void;
  /** Awaited before what is listed is looked up and fetched. */
  readonly beforeFetch: () => Promise<void>;
  /** Aborts when no more is to be asked. */
  readonly signal: AbortSignal;
}

/** What could not be settled. */
export interface Leftover extends Window {
  /** Whether it is known to have events that the archive lacks. */
  readonly isLacking: boolean;
}

/** What is younger than this when it is asked for may have come after it was listed. */
const SETTLING_SECONDS = 60;

/** Comparisons of one part before it is left to others. */
const MAX_ATTEMPTS = 3;

/** Parts that one window may be cut into. */
const MAX_PARTS = 1_000;

/** Bounds of one comparison: what goes beyond them is cut. */
const MAX_IDS = 50_000;
const MAX_ROUNDS = 4_000;
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** Withheld events whose seconds are looked for after one comparison. */
const MAX_LOCATED = 20_000;

/** Ids that a relay may list and not give before no more of them are asked for in a session. */
const MAX_HIDDEN = 100_000;

export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #trust: NegentropyTrust;
  #hidden = 0;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
    this.#trust = new NegentropyTrust(deps.job);
  }

  /** What was found out about the relay's NIP-77. */
  get trust(): NegentropyTrust {
    return this.#trust;
  }

  /** Reconciles what can be reconciled of a window, and gives the parts that are left, newest first. */
  async reconcile(
    walk: WalkJob,
    window: Window,
    findings: WalkFindings,
  ): Promise<Leftover[]> {
    const left: Leftover[] = [];
    const open: Part[] = [{ window, keys: null }];
    for (let parts = 1; open.length > 0; parts++) {
      const part = open.pop()!;
      const read = this.#mayAsk && parts <= MAX_PARTS
        ? await this.#read(walk, part)
        : null;
      if (read === null) {
        leave(left, { ...part.window, isLacking: false });
        continue;
      }
      open.push(...below(part, read));
      const { partOutcome, keys, isLacking, second } = await this.#settlePart(
        walk,
        read,
      );
      if (partOutcome === "settled") {
        const proven = subtractWindows(read.window, second ? [second] : []);
        for (const window of proven) {
          findings.prove(window, "negentropy", support(keys));
        }
        if (second !== null) leave(left, { ...second, isLacking: false });
        continue;
      }
      const cut = partOutcome === "too-much"
        ? cutPart({ ...read, keys }, this.#deps.now)
        : null;
      if (cut === null) leave(left, { ...read.window, isLacking });
      else open.push(...cut);
    }
    return left;
  }

  get #mayAsk(): boolean {
    const { signal, line } = this.#deps;
    return this.#trust.isUsable && !signal.aborted && line.failure === null;
  }

  async #read(walk: WalkJob, { window, keys }: Part): Promise<ReadPart | null> {
    return keys === null
      ? await readVector(this.#deps.link, walk, window)
      : { window, keys };
  }

  /** Compares a part until nothing differs that can be had. */
  async #settlePart(
    walk: WalkJob,
    part: ReadPart,
  ): Promise<SettledPart> {
    let { keys } = part;
    let isLacking = false;
    for (let attempt = 0; attempt < MAX_ATTEMPTS && this.#mayAsk; attempt++) {
      const compared = await this.#compare(walk, { ...part, keys });
      const { outcome, fetched } = compared;
      const { partOutcome, second } = await this.#classify(
        walk,
        { ...part, keys },
        compared,
      );
      const gone = outcome.type === "reconciled" ? outcome.have : NO_KEYS;
      isLacking = fetched.failure !== null && fetched.failure !== "aborted";
      if (partOutcome === "settled") {
        await this.#note(walk, { window: part.window, gone, fetched });
        return { partOutcome, keys, isLacking, second };
      }
      keys = changedKeys(keys, { more: fetched.obtained, less: gone });
      if (partOutcome !== "again") {
        return { partOutcome, keys, isLacking, second };
      }
    }
    return { partOutcome: "left", keys, isLacking, second: null };
  }

  async #compare(
    walk: WalkJob,
    { window, keys }: ReadPart,
  ): Promise<Comparison> {
    const { line, bounds } = this.#deps;
    const { filter, filterHash } = walk;
    const pageSize = bounds.limit;
    const fetch = new IdFetch({
      ...this.#deps,
      filter,
      filterHash,
      window,
      pageSize,
    });
    const asked = {
      filter: boundedFilter(walk, window),
      keys: new SortedKeys(keys),
    };
    const outcome = await line.use((client) =>
      reconcile(client, asked, {
        ...this.#bounds(fetch.failed),
        maxIds: MAX_IDS,
        onFirstAnswer: this.#deps.onFirstAnswer,
        onNeed: (need) => fetch.add(need),
      })
    );
    return { outcome, fetched: await fetch.finish() };
  }

  /** What came of a comparison. A list that is not whole settles nothing, and one second may stay open. */
  async #classify(
    walk: WalkJob,
    { window, keys }: ReadPart,
    { outcome, fetched }: Comparison,
  ): Promise<Classification & { readonly second: Window | null }> {
    const { fetch, line, bounds } = this.#deps;
    const trust = this.#trust;
    let classification = classify(outcome, fetched.failure);
    let second: Window | null = null;
    if (
      classification.partOutcome === "settled" && outcome.type === "reconciled"
    ) {
      const list = { walk, window, keys, outcome, fetched };
      const check = await checkList(list, {
        trust,
        fetch,
        limit: bounds.limit,
        settledBefore: this.#deps.now - SETTLING_SECONDS,
      });
      if (check.type === "whole") second = check.open;
      else {
        classification = {
          partOutcome: "left",
          problem: check.type === "false" ? "false-list" : "passing",
        };
      }
    }
    const { partOutcome, problem } = classification;
    const hasProgress = fetched.obtained.createdAt.length > 0;
    if (partOutcome === "settled") trust.onSuccess();
    else trust.onFailure(problem, { hasProgress });
    if (problem === "passing") line.slowDown();
    this.#hidden += fetched.hidden.length;
    if (this.#hidden > MAX_HIDDEN) trust.stop();
    return { ...classification, second };
  }

  /** Has the host keep what the relay lists no more, and what it lists and does not give. */
  async #note(
    { filterHash, ...walk }: WalkJob,
    { window, gone, fetched }: {
      readonly window: Window;
      readonly gone: EventKeys;
      readonly fetched: FetchEnd;
    },
  ): Promise<void> {
    const { line, link, signal } = this.#deps;
    if (gone.createdAt.length > 0) {
      link.note({ filterHash, state: "gone", keys: gone });
    }
    const hidden = fetched.hidden.slice(0, MAX_LOCATED);
    if (hidden.length === 0) return;
    const filter = boundedFilter(walk, window);
    const located = await line.use(async (client) => ({
      type: "located" as const,
      keys: sortedKeys(
        await locate(client, { filter, hidden }, this.#bounds(signal)),
      ),
    }));
    if (located.type !== "located") return;
    // What lies elsewhere is another window's, and none of its claims may rest on it.
    const keys = keysIn(located.keys, window);
    if (keys.createdAt.length > 0) {
      link.note({ filterHash, state: "withheld", keys });
    }
  }

  #bounds(stop: AbortSignal) {
    const { job, bounds, signal } = this.#deps;
    const { idleTimeoutMs, requestTimeoutMs } = bounds;
    const isKnown = this.#trust.support === "supported";
    return {
      signal: AbortSignal.any([signal, stop]),
      // One that has answered before may take its time.
      probeTimeoutMs: isKnown
        ? idleTimeoutMs
        : Math.min(job.probeTimeoutMs, idleTimeoutMs),
      idleTimeoutMs,
      totalTimeoutMs: requestTimeoutMs,
      maxBytes: MAX_CHARACTERS,
      maxRounds: MAX_ROUNDS,
    };
  }
}

/** What became of a part. */
interface SettledPart {
  readonly partOutcome: PartOutcome;
  readonly keys: EventKeys;
  readonly isLacking: boolean;
  /** A second of it that is left to paging. */
  readonly second: Window | null;
}

/** One comparison, and what became of what it found. */
interface Comparison {
  readonly outcome: CompareOutcome;
  readonly fetched: FetchEnd;
}

/** What both sides hold the same of: one of our keys is the witness. */
function support({ ids }: EventKeys): Support {
  const witness = ids.length > 0 ? ids.subarray(0, 32).toHex() : null;
  return { questions: 1, witness, counts: null };
}

/** Adds a part to those left; what touches the one before is one with it. */
function leave(left: Leftover[], part: Leftover): void {
  const last = left.at(-1);
  const isOne = last !== undefined && last.since === part.until + 1 &&
    last.isLacking === part.isLacking;
  if (isOne) left[left.length - 1] = { ...part, until: last.until };
  else left.push(part);
}

/** What of a part was not read, as it was too much. */
function below({ window }: Part, read: ReadPart): Part[] {
  const { since } = read.window;
  return since > window.since
    ? [{ window: { since: window.since, until: since - 1 }, keys: null }]
    : [];
}
