/**
 * Sends what the outbox holds, beside the checks and never in their way: each target has its own connection and its
 * own timeouts, so that one that is down delays no other.
 *
 * @module
 */
import {
  claimOutbox,
  countOutbox,
  expireOutbox,
  type OutboxRound,
  settleOutbox,
} from "../archive/outbox.ts";
import { workInQueues } from "../core/lifecycle/queues.ts";
import type { Context } from "../core/lifecycle/service.ts";
import { untilMoment } from "../core/lifecycle/time_limit.ts";
import type { Dialer } from "../transport/dialer.ts";
import {
  type AddressSlots,
  authorityIn,
  type CrowdedAddresses,
  takeWhereFree,
} from "../transport/politeness.ts";
import type { PublishingConfig, SendingIdentity } from "./publishing_config.ts";
import { deferred, deliver, type VisitOutcome } from "./outbox_delivery.ts";

type PublishingContext = Context<PublishingConfig>;

export interface SenderDeps {
  readonly dialer: Dialer;
  /** The slots that the dialer takes. */
  readonly slots: AddressSlots;
  readonly publisher: SendingIdentity;
}

/** For how long a target is claimed, s: as long as a visit takes to one that answers slowly. */
const LEASE_SECONDS = 180;

/** Events of one visit. */
const MAX_EVENTS = 500;

/** Old events deleted at once. */
const EXPIRE_LIMIT = 1_000;

interface Claim {
  readonly round: OutboxRound;
  /** On this process's monotonic clock. */
  readonly endsAtMs: number;
}

/** Sends everything that is due; returns when nothing is. Throws what the database does only. */
export async function sendDue(
  ctx: PublishingContext,
  deps: SenderDeps,
): Promise<void> {
  const { maxTargets, sendSeconds } = ctx.config.publish;
  const left = await workInQueues({
    slots: { targets: maxTargets },
    askAgainMs: sendSeconds * 1_000,
    take: (_queue, count) =>
      takeWhereFree(
        deps.slots,
        (crowded) =>
          claim(ctx, deps, { count: Math.min(count, maxTargets), ...crowded }),
        ctx,
      ),
    work: (claim, stop) => send(ctx, deps, { ...claim, signal: stop }),
  }, ctx.signal);
  for (const { round } of left) {
    await settle(ctx, deps, { round, outcome: deferred(round, null) });
  }
}

/** Events that wait, as metrics. */
export async function countWaiting(
  { database, metrics }: PublishingContext,
  { publisher }: SenderDeps,
): Promise<void> {
  const { pending, oldestSeconds } = await countOutbox(
    database,
    publisher.pubkey,
  );
  metrics.gauge(
    "monitor_outbox_pending",
    "Signed events that wait for a relay to take them; growing: monitor_published_total says what relays answer",
    [],
  ).set({}, pending);
  metrics.gauge(
    "monitor_outbox_oldest_seconds",
    "Age of the oldest event that waits; it is given up when it expires",
    [],
  ).set({}, oldestSeconds ?? 0);
}

/** Gives up what is too old to be sent, and deletes what is long past. */
export async function expireOld(
  { config, database, metrics }: PublishingContext,
): Promise<void> {
  const seconds = config.publish.retentionDays * 86_400;
  const { expired } = await expireOutbox(database, {
    olderThanSeconds: seconds,
    limit: EXPIRE_LIMIT,
  });
  metrics.counter(
    "monitor_outbox_expired_total",
    "Events that no relay took in time; look at the publishing relays of monitor.yaml",
    [],
  ).inc({}, expired);
}

/** Claims up to `count` targets that can be dialled side by side now. */
async function claim(
  { database }: PublishingContext,
  { publisher }: SenderDeps,
  { count, exceptAuthorities, perAuthority }: CrowdedAddresses & {
    readonly count: number;
  },
): Promise<Claim[]> {
  const claims: Claim[] = [];
  const except = [...exceptAuthorities];
  while (claims.length < count) {
    const endsAtMs = performance.now() + (LEASE_SECONDS - 1) * 1_000;
    const round = await claimOutbox(database, publisher.pubkey, {
      holder: publisher.holder,
      leaseSeconds: LEASE_SECONDS,
      limit: MAX_EVENTS,
      exceptAuthorities: except,
    });
    if (round === null) break;
    claims.push({ round, endsAtMs });
    const authority = authorityIn(round.relayUrl);
    const those = claims.filter(({ round }) =>
      authorityIn(round.relayUrl) === authority
    );
    if (those.length === perAuthority) except.push(authority);
  }
  return claims;
}

async function send(
  ctx: PublishingContext,
  deps: SenderDeps,
  { round, endsAtMs, signal }: Claim & { readonly signal: AbortSignal },
): Promise<void> {
  // A target that finds no slot at its address is put back at once, for others to be sent to.
  if (deps.slots.isFull(authorityIn(round.relayUrl))) {
    return await settle(ctx, deps, { round, outcome: deferred(round, null) });
  }
  const outcome = await untilMoment(
    endsAtMs,
    signal,
    (signal) =>
      deliver(round, {
        dialer: deps.dialer,
        key: deps.publisher.key,
        config: ctx.config,
        signal,
      }),
  );
  await settle(ctx, deps, { round, outcome });
  tell(ctx, round, outcome);
}

async function settle(
  { database }: PublishingContext,
  { publisher }: SenderDeps,
  { round: { targetId }, outcome }: {
    readonly round: OutboxRound;
    readonly outcome: VisitOutcome;
  },
): Promise<void> {
  const { results, failures, nextTryInSeconds } = outcome;
  const { holder } = publisher;
  await settleOutbox(database, {
    targetId,
    holder,
    failures,
    nextTryInSeconds,
    results: results.map(({ delivery, ...result }) => ({
      ...result,
      outboxId: delivery.outboxId,
      eventId: delivery.eventId,
    })),
  });
}

function tell(
  { log, metrics }: PublishingContext,
  { relayUrl: relay }: OutboxRound,
  { results, failure }: VisitOutcome,
): void {
  const published = metrics.counter(
    "monitor_published_total",
    "Answers to what was sent, by kind and result (retried: it is sent again); refused: the log says why",
    ["kind", "result"],
  );
  const tally = { accepted: 0, refused: 0, failed: 0, retried: 0 };
  for (const { delivery, result } of results) {
    const outcome = result ?? "retried";
    tally[outcome] += 1;
    published.inc({ kind: String(delivery.kind), result: outcome });
  }
  log.debug("events sent", { relay, ...tally, failure: failure ?? undefined });
  const refused = results.find(({ result }) => result === "refused");
  if (refused === undefined) return;
  const { reason } = refused;
  log.info("relay refuses events", { relay, events: tally.refused, reason });
}
