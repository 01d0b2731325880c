/**
 * Settles windows by NIP-77: what the relay lists against what it is known to list, the difference fetched, and the
 * relay's word that nothing else differs.
 *
 * What is too much for one comparison is cut, and the newest part comes first. What cannot be settled so is left to
 * paging.
 *
 * @module
 */
import type { EventKeys } from "../../models/encoded_events.ts";
import type { Filter } from "../../models/filter.ts";
import type { Window } from "../../models/window.ts";
import { SortedKeys } from "../../nips/negentropy/sorted_keys.ts";
import { locate, reconcile } from "../../nips/nip77/reconcile.ts";
import type { Intake } from "../intake.ts";
import type {
  NegentropyJob,
  NegentropySupport,
  SyncBounds,
  WalkJob,
} from "../protocol.ts";
import type { RelayLine } from "../relay_line.ts";
import type { Ledger } from "../walk/ask.ts";
import { OPEN_END, type Page, type Query } from "../walk/page.ts";
import { type FetchEnd, IdFetch } from "./id_fetch.ts";
import { changedKeys, NO_KEYS } from "./key_list.ts";
import type { ListingLink } from "./listing_link.ts";
import { readVector } from "./own_vector.ts";
import { cutPart, type Part, type ReadPart } from "./part.ts";
import { type CompareOutcome, judge, type Verdict } from "./verdict.ts";

export interface ReconcilerParts {
  readonly job: NegentropyJob;
  readonly bounds: SyncBounds;
  readonly line: RelayLine;
  readonly link: ListingLink;
  readonly intake: Intake;
  /** Asks the relay for a page; the events go their way. */
  readonly fetch: (query: Query) => Promise<Page>;
  /** Aborts when no more is to be asked. */
  readonly signal: AbortSignal;
}

/** Comparisons of one part before it is left to paging. */
const MAX_ATTEMPTS = 3;

/** Parts that one window may be cut into. */
const MAX_PARTS = 1_000;

/** Bounds of one comparison: what goes beyond them is cut. */
const MAX_IDS = 100_000;
const MAX_ROUNDS = 4_000;
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** Withheld events whose seconds are looked for after one comparison. */
const MAX_HIDDEN = 20_000;

export class Reconciler {
  readonly #parts: ReconcilerParts;
  #support: NegentropySupport;
  #isUsable = true;
  #hasSettled = false;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#support = parts.job.support;
  }

  /** Whether the relay knows NIP-77, as far as it has shown. */
  get support(): NegentropySupport {
    return this.#support;
  }

  /** Whether anything was proven by it. */
  get hasSettled(): boolean {
    return this.#hasSettled;
  }

  /** Settles what can be settled of a window, and gives the parts that are left to paging, newest first. */
  async settle(
    walk: WalkJob,
    window: Window,
    ledger: Ledger,
  ): Promise<Window[]> {
    const left: Window[] = [];
    const open: Part[] = [{ window, keys: null }];
    for (let parts = 1; open.length > 0; parts++) {
      const part = open.pop()!;
      const read = this.#isUsable && parts <= MAX_PARTS
        ? await this.#read(walk, part)
        : null;
      if (read === null) {
        left.push(part.window);
        continue;
      }
      open.push(...below(part, read));
      const { verdict, keys } = await this.#settlePart(walk, read);
      if (verdict === "settled") {
        this.#hasSettled = true;
        ledger.prove(read.window, "negentropy");
        continue;
      }
      const cut = verdict === "too-much"
        ? cutPart({ ...read, keys }, walk.claimUntil)
        : null;
      if (cut === null) left.push(read.window);
      else open.push(...cut);
    }
    return left;
  }

  async #read(walk: WalkJob, { window, keys }: Part): Promise<ReadPart | null> {
    return keys === null
      ? await readVector(this.#parts.link, walk, window)
      : { window, keys };
  }

  /** Compares a part until nothing differs that can be had. */
  async #settlePart(
    walk: WalkJob,
    part: ReadPart,
  ): Promise<{ verdict: Verdict; keys: EventKeys }> {
    let { keys } = part;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const { outcome, fetched } = await this.#compare(walk, { ...part, keys });
      const verdict = this.#learn(outcome, fetched);
      const gone = outcome.type === "reconciled" ? outcome.have : NO_KEYS;
      if (verdict === "settled") {
        await this.#note(walk, { window: part.window, gone, fetched });
        return { verdict, keys };
      }
      keys = changedKeys(keys, { more: fetched.obtained, less: gone });
      if (verdict !== "again") return { verdict, keys };
    }
    return { verdict: "left", keys };
  }

  async #compare(
    walk: WalkJob,
    { window, keys }: ReadPart,
  ): Promise<{ outcome: CompareOutcome; fetched: FetchEnd }> {
    const { line, bounds } = this.#parts;
    const fetch = new IdFetch({
      ...this.#parts,
      filterHash: walk.filterHash,
      window,
      pageSize: bounds.limit,
    });
    const filter = filterOf(walk, window);
    const outcome = await line.use((client) =>
      reconcile(client, { filter, keys: new SortedKeys(keys) }, {
        ...this.#bounds(fetch.failed),
        maxIds: MAX_IDS,
        onNeed: (need) => fetch.add(need),
      })
    );
    return { outcome, fetched: await fetch.finish() };
  }

  #learn(outcome: CompareOutcome, fetched: FetchEnd): Verdict {
    const { verdict, support, isUsable } = judge(outcome, fetched.failure);
    if (support !== null) this.#support = support;
    this.#isUsable &&= isUsable;
    return verdict;
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
    const { line, link, signal } = this.#parts;
    if (gone.createdAt.length > 0) {
      link.note({ filterHash, state: "gone", keys: gone });
    }
    const hidden = fetched.hidden.slice(0, MAX_HIDDEN);
    if (hidden.length === 0) return;
    const filter = filterOf({ ...walk, filterHash }, window);
    const located = await line.use(async (client) => ({
      type: "located" as const,
      keys: await locate(client, { filter, hidden }, this.#bounds(signal)),
    }));
    if (located.type !== "located") return;
    link.note({ filterHash, state: "withheld", keys: located.keys });
  }

  #bounds(stop: AbortSignal) {
    const { job, bounds, signal } = this.#parts;
    const { idleTimeoutMs, requestTimeoutMs } = bounds;
    const isKnown = this.#support === "supported";
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

/** What of a part was not read, as it was too much. */
function below({ window }: Part, read: ReadPart): Part[] {
  const { since } = read.window;
  return since > window.since
    ? [{ window: { since: window.since, until: since - 1 }, keys: null }]
    : [];
}

function filterOf({ filter }: WalkJob, { since, until }: Window): Filter {
  return {
    ...filter,
    ...(since > 0 && { since }),
    ...(until < OPEN_END && { until }),
  };
}
