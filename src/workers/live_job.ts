/**
 * What the host and a session say to each other about being live: part of the protocol.
 *
 * @module
 */
import type { SyncReport } from "./protocol.ts";

/** Worker to host: all that was wanted is done and handed in. May the session stay open for what is to come? */
export interface AskLive {
  readonly type: "ask-live";
  readonly session: number;
  readonly request: number;
  readonly question: LiveQuestion;
}

/** Host to worker. */
export interface LiveAnswer {
  readonly type: "live";
  readonly session: number;
  readonly request: number;
  readonly granted: boolean;
}

/** Stay with the relay once everything wanted is proven, and take what comes. */
export interface LiveJob {
  /** Oldest `created_at` that is archived, Unix seconds. */
  readonly since: number;
  /** What was created less long ago may still be on its way to the relay, and is not claimed yet. */
  readonly settlingSeconds: number;
  /** How often the relay is asked for a sign of life, and what came before is claimed, ms. */
  readonly claimEveryMs: number;
  /** Then the session ends, so that the recent past is looked at again, ms. */
  readonly endAfterMs: number;
}

/** What is to be known of a session that may go live. */
export interface LiveQuestion {
  readonly report: SyncReport;
  /** The IP address it is connected to; null behind a proxy. */
  readonly address: string | null;
}

/** Why a session is live no longer. */
export type LiveEndReason =
  /** We were told to. */
  | "stopped"
  /** The worker died or hung. */
  | "lost"
  /** It is time to look at the recent past again. */
  | "recheck"
  | "disconnected"
  /** The relay ended or refused a subscription. */
  | "closed"
  /** It did not say in time that it is done with the stored events, or that it is alive. */
  | "silent"
  /** More came than any relay can have. */
  | "flood"
  /** Too much of what came was repeated, forged, or not asked for. */
  | "useless"
  /** An event came that is larger than we take, so that what follows would not be all. */
  | "too-large"
  /** What was stored between the walks and the subscription could not be had. */
  | "behind";

/** How it was to be live. */
export interface LiveEnd {
  readonly reason: LiveEndReason;
  /** Events that came over the open subscriptions, whatever became of them. */
  readonly events: number;
  readonly seconds: number;
}
