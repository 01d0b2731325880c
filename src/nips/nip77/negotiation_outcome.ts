/**
 * How a conversation of NIP-77 can end. There is no other end than these.
 *
 * @module
 */
import type { RelayFailure } from "../../transport/failure.ts";
import type { ReasonPrefix } from "../client/req_outcome.ts";

/** The bounds of one conversation. */
export interface NegotiateOptions {
  readonly signal: AbortSignal;
  /** Silence after NEG-OPEN by which a relay shows that it does not know it, ms. */
  readonly probeTimeoutMs: number;
  /** Longest silence later on, ms; time in which we ourselves did not listen is not counted. */
  readonly idleTimeoutMs: number;
  /** Longest wait for answers in all, ms. What `onAnswer` takes is not counted. */
  readonly totalTimeoutMs: number;
  /** More characters of messages than this end it with `over-budget`. */
  readonly maxBytes: number;
  /** More messages sent than this end it with `over-budget`. */
  readonly maxRounds: number;
  /** Called after each answer; the next message waits until it resolves. It must not reject. */
  readonly onAnswer?: () => Promise<void> | null;
}

/** Cost of a negotiation. */
export interface NegotiationCost {
  /** Messages sent. */
  readonly rounds: number;
  /** Characters sent and received. */
  readonly bytes: number;
}

export type NegotiationOutcome =
  /** Nothing was left to ask. */
  | ({ readonly type: "done" } & NegotiationCost)
  | NegotiationFailure;

export type NegotiationFailure =
  /** More records than the relay looks at in one go; ask for less time. `maxRecords` where it says how many. */
  | {
    readonly type: "too-many";
    readonly reason: string;
    readonly maxRecords?: number;
  }
  /** The relay refuses this one, or gave up on it. */
  | {
    readonly type: "refused";
    readonly prefix: ReasonPrefix;
    readonly reason: string;
  }
  /** The relay does not know NIP-77, or what it answers is none. */
  | { readonly type: "unsupported"; readonly detail: string }
  /** The relay had answered, and then did not for too long. */
  | { readonly type: "timeout"; readonly detail: string }
  /** The connection ended first. */
  | { readonly type: "disconnected"; readonly failure: RelayFailure }
  /** It went beyond a bound of ours. */
  | { readonly type: "over-budget"; readonly detail: string }
  /** We stopped it ourselves. */
  | { readonly type: "aborted" };
