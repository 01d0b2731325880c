/**
 * The relays this process may sync: leased from the database, kept while they are in work, given back with the moment
 * at which each is due again.
 *
 * @module
 */
import type { Database } from "../../../core/database/connection/database.ts";
import {
  type LeasedRelay,
  leaseRelays,
  recordLive,
  recordProgress,
  type ReleasedRelay,
  releaseRelays,
  renewLeases,
  type WalkProgress,
} from "../../../archive/leases.ts";
import type { Crowding } from "../../../archive/candidates.ts";
import { gatherWrites } from "../../../base/gather_writes.ts";
import { newHolder } from "../../../core/lifecycle/holder.ts";
import type { Logger } from "../../../core/log/logger.ts";
import type { Network } from "../../../models/network.ts";

export const SERVICE = "synchronizer";

/** People look at it: more often would only be more writes. */
const PROGRESS_EVERY_MS = 10_000;

export interface LeaseOptions {
  readonly database: Database;
  readonly log: Logger;
  readonly leaseSeconds: number;
  /** No relay is given back for longer, as things stand. */
  readonly longestWaitSeconds: () => number;
}

/** The relays that are wanted. */
export interface Selection extends Crowding {
  readonly networks: readonly Network[];
  /** Only these; left out: all. */
  readonly urls?: readonly string[];
  readonly exceptUrls?: readonly string[];
  readonly onlineOnly?: boolean;
  readonly checkedWithinSeconds?: number | undefined;
}

/** A leased relay: ours until it is released. */
export interface RelayLease extends LeasedRelay {
  /** Aborts when the lease was lost to somebody else: then nothing more may be written for this relay. */
  readonly lost: AbortSignal;
}

interface Held {
  readonly url: string;
  readonly lost: AbortController;
}

/** Leases of this process. Disposing gives back those that were never begun. */
export class Leases implements AsyncDisposable {
  readonly #options: LeaseOptions;
  /** Names this process among all that share the database. */
  readonly #holder = newHolder();
  /** Aborted when the lease of a relay is lost, by relay. */
  readonly #held = new Map<number, Held>();
  readonly #timer: ReturnType<typeof setInterval>;
  /** Gathers releases, as many relays end at once: those that end during a call go with the next. */
  readonly #give = gatherWrites(
    (relays: readonly ReleasedRelay[]) => this.#giveAll(relays),
    { maxItems: 1_000 },
  );
  #renewal: Promise<void> = Promise.resolve();
  /** A renewal waits for a database that is away, and more of them would only wait beside it. */
  #isRenewing = false;
  /** Progress that is not recorded yet, by relay. */
  readonly #progress = new Map<number, WalkProgress>();
  readonly #progressTimer: ReturnType<typeof setInterval>;
  #recording: Promise<void> = Promise.resolve();
  #isRecording = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    const renew = () => {
      if (this.#isRenewing) return;
      this.#renewal = this.#renew();
    };
    const renewEveryMs = options.leaseSeconds * 1_000 / 3;
    this.#timer = setInterval(renew, renewEveryMs);
    const record = () => void this.#recordProgress();
    const recordEveryMs = Math.min(renewEveryMs, PROGRESS_EVERY_MS);
    this.#progressTimer = setInterval(record, recordEveryMs);
  }

  /** Leases relays that are due, the longest due first. */
  async take(selection: Selection, limit: number): Promise<RelayLease[]> {
    const { database, leaseSeconds, longestWaitSeconds } = this.#options;
    const leased = await leaseRelays(database, {
      service: SERVICE,
      holder: this.#holder,
      ...selection,
      limit,
      leaseSeconds,
      longestWaitSeconds: longestWaitSeconds(),
    });
    return leased.map((relay) => {
      const lost = new AbortController();
      this.#held.set(relay.relayId, { url: relay.url, lost });
      return { ...relay, lost: lost.signal };
    });
  }

  /** Ends what is in work with these relays, as if their leases were lost; they are given back all the same. */
  abandon(isMeant: (url: string) => boolean): void {
    for (const { url, lost } of this.#held.values()) {
      if (isMeant(url)) lost.abort();
    }
  }

  /** Tells others that this process is live with the relay, for `status` only. */
  async goLive(relayId: number): Promise<void> {
    const { database, log } = this.#options;
    const lease = { service: SERVICE, holder: this.#holder, relayId };
    await recordLive(database, lease)
      .catch((error) => log.warn("live relay not recorded", { error }));
  }

  /** Tells others what the walk of a relay does, for `status` only: with a delay of ten seconds at most. */
  report({ relayId, doing, until }: WalkProgress): void {
    if (!this.#held.has(relayId)) return;
    this.#progress.set(relayId, { relayId, doing, until });
  }

  async release(relay: ReleasedRelay): Promise<void> {
    this.#held.delete(relay.relayId);
    this.#progress.delete(relay.relayId);
    await this.#give(relay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#progressTimer);
    await Promise.all([this.#renewal, this.#recording]);
    const left = [...this.#held.keys()];
    this.#held.clear();
    await this.#giveAll(left.map((relayId) => ({ relayId })));
  }

  async #giveAll(relays: readonly ReleasedRelay[]): Promise<void> {
    const { database } = this.#options;
    const service = SERVICE;
    await releaseRelays(database, { service, holder: this.#holder, relays });
  }

  /** Records what has changed, unless that is still under way: then with the next call. */
  async #recordProgress(): Promise<void> {
    if (this.#isRecording) return;
    const { database, log } = this.#options;
    const walks = [...this.#progress.values()];
    this.#progress.clear();
    this.#isRecording = true;
    this.#recording = recordProgress(database, {
      service: SERVICE,
      holder: this.#holder,
      walks,
    }).catch((error) => log.warn("progress of walks not recorded", { error }));
    await this.#recording;
    this.#isRecording = false;
  }

  /** A renewal that fails is tried again; leases outlast two of them. */
  async #renew(): Promise<void> {
    const { database, log, leaseSeconds } = this.#options;
    const relayIds = [...this.#held.keys()];
    this.#isRenewing = true;
    try {
      const kept = await renewLeases(database, {
        service: SERVICE,
        holder: this.#holder,
        relayIds,
        leaseSeconds,
      });
      const ours = new Set(kept);
      for (const relayId of relayIds) {
        if (ours.has(relayId)) continue;
        this.#held.get(relayId)?.lost.abort();
        this.#held.delete(relayId);
      }
    } catch (error) {
      log.warn("leases not renewed", { relays: relayIds.length, error });
    } finally {
      this.#isRenewing = false;
    }
  }
}
