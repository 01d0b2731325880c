/**
 * Configuration of sending the outbox, for every service that publishes.
 *
 * @module
 */
import type { CommonConfig } from "../core/lifecycle/service.ts";
import type { Networks } from "../models/network.ts";

export interface PublishingConfig extends CommonConfig {
  readonly networks: Networks;
  readonly allowPrivate: boolean;
  readonly publish: {
    /** Seconds between two looks at what has to be sent. */
    readonly sendSeconds: number;
    /** Relays that are sent to at the same time. */
    readonly maxTargets: number;
    /** Days for which what was sent is kept. */
    readonly retentionDays: number;
    readonly retry: PublishingRetry;
  };
}

/** When a relay that did not take an event is tried again, and how often. */
export interface PublishingRetry {
  readonly initialSeconds: number;
  readonly maxSeconds: number;
  readonly maxAttempts: number;
}

/** In whose name events are sent. */
export interface SendingIdentity {
  readonly key: Uint8Array;
  /** Hex. */
  readonly pubkey: string;
  /** Names this process among all that share the outbox. */
  readonly holder: string;
}
