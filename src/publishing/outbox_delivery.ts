/**
 * Delivery to one target: everything due there over one connection, each event answered by its OK.
 *
 * @module
 */
import type {
  Delivery,
  OutboxRound,
  SettledDelivery,
} from "../archive/outbox.ts";
import { backoffMs } from "../base/backoff.ts";
import { parseEvent } from "../models/event.ts";
import { parseRelayUrl } from "../models/relay_url.ts";
import type { Result } from "../models/result.ts";
import { connectRelay } from "../nips/client/connect_relay.ts";
import type {
  PublishAnswer,
  RelayClient,
} from "../nips/client/relay_client.ts";
import type { Dialer } from "../transport/dialer.ts";
import {
  countsAgainstRelay,
  failureText,
  type RelayFailure,
} from "../transport/failure.ts";
import type { PublishingConfig } from "./publishing_config.ts";

export interface DeliverOptions {
  readonly dialer: Dialer;
  /** Authenticates us where the relay asks for it (NIP-42). */
  readonly key: Uint8Array;
  readonly config: PublishingConfig;
  readonly signal: AbortSignal;
}

type Outcome = Omit<SettledDelivery, "outboxId" | "eventId">;

export interface VisitOutcome {
  /** Results of the events that were tried. */
  readonly results: readonly (Outcome & { readonly delivery: Delivery })[];
  /** Visits in a row in which the target could not be used. */
  readonly failures: number;
  /** Whole seconds until it may be dialled again. */
  readonly nextTryInSeconds: number;
  /** The failure that ended the round early; null for none. */
  readonly failure: string | null;
}

/** Events on their way at the same time. */
const PIPELINE = 4;

/** Events in a row without an OK after which the relay counts as not listening. */
const MAX_SILENCES = PIPELINE;

/** Waits are shortened by up to this share, so that targets that failed together do not return together. */
const JITTER = 0.2;

/** Delivers what is due; never throws for anything the relay does. */
export async function deliver(
  round: OutboxRound,
  options: DeliverOptions,
): Promise<VisitOutcome> {
  const { dialer, key, config, signal } = options;
  const relay = parseRelayUrl(round.relayUrl, config);
  if (!relay.ok) {
    return givenUp(round, "failed", `address: ${relay.failure.detail}`);
  }
  const opened = await connectRelay(dialer, relay.value, {
    signal,
    authKey: key,
    timeoutMs: config.networks[relay.value.network].timeoutMs,
    slotTimeoutMs: 0,
  });
  if (!opened.ok) return unreached(round, opened.failure, options);
  await using client = opened.value;
  return await new DeliveryRound(round, client, options).run();
}

/** The outcome of a target that was not reached; one that opted out is not tried again. */
function unreached(
  round: OutboxRound,
  failure: RelayFailure,
  { config }: DeliverOptions,
): VisitOutcome {
  const reason = failureText(failure);
  if (failure.code === "aborted" || failure.code === "busy") {
    return deferred(round, reason);
  }
  if (failure.code === "opted-out") return givenUp(round, "refused", reason);
  const failures = round.failures + 1;
  const { retry } = config.publish;
  return {
    results: countsAgainstRelay(failure)
      ? round.deliveries.map((delivery) => ({
        delivery,
        ...again(delivery, reason, { retry, nextTryInSeconds: 0 }),
      }))
      : [],
    failures,
    nextTryInSeconds: after(failures, retry),
    failure: reason,
  };
}

/** The outcome of a target that was not tried, or not to the end, for our sake: it is due as before. */
export function deferred(
  { failures }: OutboxRound,
  failure: string | null,
): VisitOutcome {
  return { results: [], failures, nextTryInSeconds: 0, failure };
}

function givenUp(
  { deliveries, failures }: OutboxRound,
  result: "refused" | "failed",
  reason: string,
): VisitOutcome {
  return {
    results: deliveries.map((delivery) => ({
      delivery,
      result,
      reason,
      attempts: delivery.attempts + 1,
      nextTryInSeconds: 0,
    })),
    failures,
    nextTryInSeconds: 0,
    failure: reason,
  };
}

/** A delivery over one connection. */
class DeliveryRound {
  readonly #round: OutboxRound;
  readonly #client: RelayClient;
  readonly #options: DeliverOptions;
  readonly #waiting: Delivery[];
  readonly #results: (Outcome & { readonly delivery: Delivery })[] = [];
  #silences = 0;
  #answers = 0;
  /** Why the rest has to wait. */
  #stopped: string | null = null;

  constructor(
    round: OutboxRound,
    client: RelayClient,
    options: DeliverOptions,
  ) {
    this.#round = round;
    this.#client = client;
    this.#options = options;
    this.#waiting = [...round.deliveries];
  }

  async run(): Promise<VisitOutcome> {
    await Promise.all(Array.from({ length: PIPELINE }, () => this.#send()));
    const results = this.#results;
    const failure = this.#stopped;
    if (failure === null) {
      return { results, failures: 0, nextTryInSeconds: 0, failure };
    }
    // The wait grows only while it is of no use at all.
    const failures = (this.#answers > 0 ? 0 : this.#round.failures) + 1;
    const isOurs = this.#options.signal.aborted;
    return isOurs ? { ...deferred(this.#round, failure), results } : {
      results,
      failures,
      nextTryInSeconds: after(failures, this.#options.config.publish.retry),
      failure,
    };
  }

  async #send(): Promise<void> {
    const { config, signal } = this.#options;
    const timeoutMs = config.networks[this.#client.relay.network].timeoutMs;
    while (this.#stopped === null) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) return;
      const event = parseEvent(JSON.parse(delivery.event));
      if (!event.ok) throw new Error(`Cannot send ${delivery.eventId}`);
      const answer = await this.#client.publish(event.value, {
        signal,
        timeoutMs,
      });
      const outcome = this.#outcomeOf(delivery, answer);
      if (outcome !== null) this.#results.push({ delivery, ...outcome });
    }
  }

  #outcomeOf(
    delivery: Delivery,
    answer: Result<PublishAnswer, RelayFailure>,
  ): Outcome | null {
    if (!answer.ok) return this.#unanswered(delivery, answer.failure);
    this.#silences = 0;
    const { accepted, prefix, message } = answer.value;
    const attempts = delivery.attempts + 1;
    if (accepted || prefix === "duplicate") {
      this.#answers += 1;
      const reason = message || null;
      return { result: "accepted", reason, attempts, nextTryInSeconds: 0 };
    }
    if (prefix === "rate-limited") {
      this.#stopped ??= message;
      return this.#again(delivery, message);
    }
    this.#answers += 1;
    if (prefix === "error") return this.#again(delivery, message);
    const reason = message || "refused without a reason";
    return { result: "refused", reason, attempts, nextTryInSeconds: 0 };
  }

  #unanswered(delivery: Delivery, failure: RelayFailure): Outcome | null {
    const reason = failureText(failure);
    if (failure.code === "aborted") {
      this.#stopped ??= reason;
      return null;
    }
    if (failure.code !== "timeout" || ++this.#silences >= MAX_SILENCES) {
      this.#stopped ??= reason;
    }
    return this.#again(delivery, reason);
  }

  #again(delivery: Delivery, reason: string): Outcome {
    const { retry } = this.#options.config.publish;
    const nextTryInSeconds = after(delivery.attempts + 1, retry);
    return again(delivery, reason, { retry, nextTryInSeconds });
  }
}

type Retry = PublishingConfig["publish"]["retry"];

function again(
  delivery: Delivery,
  reason: string,
  { retry, nextTryInSeconds }: {
    readonly retry: Retry;
    readonly nextTryInSeconds: number;
  },
): Outcome {
  const attempts = delivery.attempts + 1;
  return attempts >= retry.maxAttempts
    ? { result: "failed", reason, attempts, nextTryInSeconds: 0 }
    : { result: null, reason, attempts, nextTryInSeconds };
}

/** Whole seconds until the next attempt after so many. */
function after(attempts: number, retry: Retry): number {
  const waitMs = backoffMs(attempts, {
    initialMs: retry.initialSeconds * 1_000,
    maxMs: retry.maxSeconds * 1_000,
    jitter: JITTER,
  });
  return Math.ceil(waitMs / 1_000);
}
