/**
 * A cycle of checks: each leased relay is checked, and the results are stored together with when it is due again.
 *
 * @module
 */
import type { Crowding } from "../../archive/candidates.ts";
import { insertChecks, type RelayCheck } from "../../archive/checks.ts";
import { type LeasedRelay, leaseRelays } from "../../archive/leases.ts";
import { gatherWrites } from "../../base/gather_writes.ts";
import { Pauses } from "../../core/lifecycle/pauses.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { untilMoment, within } from "../../core/lifecycle/time_limit.ts";
import type { Network } from "../../models/network.ts";
import { parseRelayUrl } from "../../models/relay_url.ts";
import { failedCheck } from "../../nips/check_document.ts";
import {
  askedWaitSeconds,
  countsAgainstRelay,
  failureText,
  type RelayFailure,
} from "../../transport/failure.ts";
import {
  type AddressSlots,
  authorityIn,
  takeWhereFree,
} from "../../transport/politeness.ts";
import { watchedUrls } from "./alerts.ts";
import { countCheck, setLag } from "./check_metrics.ts";
import { type Findings, startChecks, storedTypes } from "./check_relay.ts";
import type { CheckDeps } from "./checks/check.ts";
import { MAX_WAIT_SECONDS, type MonitorConfig } from "./config.ts";
import type { Publisher } from "./publish/publisher.ts";
import { publicationOf } from "./publish/visits.ts";
import { dueChecks, knownNip11, readMemory, remember } from "./memory.ts";
import { impatient, secondsUntilNext } from "./schedule.ts";
import { checkOf, storeVisits, type Visit } from "./store.ts";

/** Shared by all cycles of one process. */
export interface MonitorDeps extends CheckDeps {
  /** Names this process among all that share the database. */
  readonly holder: string;
  /** The slots that the dialer takes. */
  readonly slots: AddressSlots;
  /** Null without a key. */
  readonly publisher: Publisher | null;
}

/** Shared by the visits of one cycle. */
export interface CheckCycle {
  readonly ctx: Context<MonitorConfig>;
  readonly deps: MonitorDeps;
  /** Networks whose proxy is down: nothing is leased or checked there for a while. */
  readonly pauses: Pauses<Network>;
  readonly tally: { online: number; offline: number };
  /** URLs of relays that operators want to hear of. */
  readonly watched: ReadonlySet<string>;
  /** Resolves when the visit is stored. */
  readonly store: (visit: Visit) => Promise<void>;
  /** Resolves when the check is stored; that the visit stores it once more changes nothing. */
  readonly storeEarly: (check: RelayCheck) => Promise<void>;
}

/** A relay that is ours to check. */
export interface Lease {
  readonly leased: LeasedRelay;
  /** When the lease ends, on this process's monotonic clock: then somebody else may check the relay. */
  readonly endsAtMs: number;
}

/** Visits in one transaction. */
const MAX_VISITS = 200;

/** For how long what the connection showed waits for the documents, ms, to be stored with them at once. */
const EARLY_AFTER_MS = 2_000;

export function startCycle(
  ctx: Context<MonitorConfig>,
  deps: MonitorDeps,
): CheckCycle {
  const { holder } = deps;
  const stored = storedTypes(ctx.config);
  return {
    ctx,
    deps,
    pauses: new Pauses(),
    tally: { online: 0, offline: 0 },
    watched: watchedUrls(ctx.config),
    store: gatherWrites(async (visits) => {
      const publish = await publicationOf(ctx, deps.publisher, visits);
      await storeVisits(ctx.database, visits, { holder, stored, publish });
    }, { maxItems: MAX_VISITS }),
    storeEarly: gatherWrites(async (checks) => {
      await insertChecks(ctx.database, checks);
    }, { maxItems: MAX_VISITS }),
  };
}

/** Leases up to `count` relays of a network that are due, free and can be dialled now, the longest due first. */
export async function lease(
  cycle: CheckCycle,
  network: Network,
  count: number,
): Promise<readonly Lease[]> {
  const { ctx, deps, pauses } = cycle;
  if (pauses.has(network)) return [];
  return await takeWhereFree(
    deps.slots,
    (crowded) => leaseUncrowded(cycle, { network, count, ...crowded }),
    ctx,
  );
}

async function leaseUncrowded(
  { ctx: { config, database, metrics }, deps }: CheckCycle,
  { network, count, ...crowded }: Crowding & {
    readonly network: Network;
    readonly count: number;
  },
): Promise<readonly Lease[]> {
  const { leaseSeconds } = config;
  // From before the question and a second less, as the server's clock counts whole ones: ours ends first.
  const endsAtMs = performance.now() + (leaseSeconds - 1) * 1_000;
  const leased = await leaseRelays(database, {
    service: "monitor",
    holder: deps.holder,
    networks: [network],
    limit: count,
    leaseSeconds,
    longestWaitSeconds: MAX_WAIT_SECONDS,
    ...crowded,
  });
  // A relay that was never visited is not late: it is new.
  const late = leased.filter(({ dueAt }) => dueAt > 0)
    .map(({ dueAt, now }) => now() - dueAt);
  setLag(metrics, network, Math.max(0, ...late));
  return leased.map((leased) => ({ leased, endsAtMs }));
}

/** Checks a leased relay, stores what was found, and gives the lease back. */
export async function visit(
  cycle: CheckCycle,
  { leased, endsAtMs }: Lease,
  signal: AbortSignal,
): Promise<void> {
  const { network, url } = leased;
  const isFull = cycle.deps.slots.isFull(authorityIn(url));
  if (isFull || cycle.pauses.has(network)) {
    return await cycle.store(untouched(leased));
  }
  const findings = await untilMoment(
    endsAtMs,
    signal,
    (signal) => examine(cycle, leased, signal),
  );
  const { failure } = findings.rtt;
  if (failure?.code === "proxy") pause(cycle, network);
  if (failure === null || countsAgainstRelay(failure)) {
    count(cycle, leased, findings);
    return await cycle.store(visited(cycle, leased, findings));
  }
  // A lease that ran out is somebody else's by now.
  if (failure.code === "aborted" && !signal.aborted) return;
  const { maxRetrySeconds } = cycle.ctx.config.schedule;
  switch (failure.code) {
    case "opted-out":
      countOptOut(cycle, leased);
      return await cycle.store(postponed(leased, maxRetrySeconds));
    // As many sockets as we allow ourselves are open to its address: it comes again as soon as one is closed.
    case "busy":
    default:
      return await cycle.store(untouched(leased));
  }
}

/** Gives a lease back as if it had never been taken. */
export function untouched(
  { relayId, url, failures }: LeasedRelay,
): Visit {
  return {
    relayId,
    url,
    findings: null,
    nextDueInSeconds: undefined,
    failures,
  };
}

async function examine(
  cycle: CheckCycle,
  { relayId, url, memory, now }: LeasedRelay,
  signal: AbortSignal,
): Promise<Findings> {
  const checkedAt = now();
  const { ctx, deps } = cycle;
  const { config, metrics } = ctx;
  const parsed = parseRelayUrl(url, config);
  // The relay was added when other addresses were allowed.
  if (!parsed.ok) {
    const { detail } = parsed.failure;
    return unchecked({ code: "address", detail }, checkedAt);
  }
  const relay = parsed.value;
  // Asked here, because some checks ask others about the relay.
  if (deps.dialer.isOptedOut(relay)) {
    return unchecked({ code: "opted-out", detail: relay.host }, checkedAt);
  }
  const known = readMemory(memory);
  const { documents, ...found } = await startChecks(
    { ...deps, relay, config, signal },
    {
      checkedAt,
      checks: dueChecks(known, config, checkedAt),
      regardless: false,
      slotTimeoutMs: 0,
      knownNip11: knownNip11(known),
      onDone: (check) => countCheck(metrics, relay.network, check),
    },
  );
  const early = await within(EARLY_AFTER_MS, documents, signal);
  if (early !== undefined) return { ...found, documents: early };
  const { failure } = found.rtt;
  if (failure === null || countsAgainstRelay(failure)) {
    await cycle.storeEarly(checkOf(relayId, found));
  }
  return { ...found, documents: await documents };
}

function unchecked(failure: RelayFailure, checkedAt: number): Findings {
  const rtt = failedCheck(failure);
  return { checkedAt, rtt, documents: new Map() };
}

function visited(
  { ctx, watched }: CheckCycle,
  { relayId, url, failures: before, memory }: LeasedRelay,
  findings: Findings,
): Visit {
  const failures = findings.rtt.failure === null ? 0 : before + 1;
  const asked = [findings.rtt, ...findings.documents.values()]
    .map(({ failure }) => askedWaitSeconds(failure));
  const { schedule } = ctx.config;
  const regular = secondsUntilNext(
    failures,
    watched.has(url) ? impatient(schedule) : schedule,
  );
  const nextDueInSeconds = Math.max(regular, ...asked);
  // A relay that is not there cannot be asked for documents: they stay due.
  const kept = failures > 0
    ? { findings }
    : remember(readMemory(memory), findings, ctx.config);
  return { relayId, url, failures, nextDueInSeconds, ...kept };
}

function postponed(
  { relayId, url, failures }: LeasedRelay,
  seconds: number,
): Visit {
  return { relayId, url, findings: null, failures, nextDueInSeconds: seconds };
}

function countOptOut({ ctx }: CheckCycle, { url, network }: LeasedRelay): void {
  checkedCounter(ctx).inc({ network, outcome: "opted-out" });
  ctx.log.debug("relay left alone, opted out", { relay: url });
}

/** A proxy that is down is our own trouble: the relays behind it are not offline for that. */
function pause({ ctx, pauses }: CheckCycle, network: Network): void {
  const { intervalSeconds: seconds } = ctx.config;
  if (!pauses.begin(network, seconds * 1_000)) return;
  ctx.log.warn("proxy down, network left alone", { network, seconds });
}

/** From half a decent round trip to a slow hidden service. */
const OPEN_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

function count(
  { ctx, tally }: CheckCycle,
  { url, network, failures }: LeasedRelay,
  { rtt }: Findings,
): void {
  const { log, metrics } = ctx;
  const { failure, data } = rtt;
  const outcome = failure?.code ?? "online";
  tally[failure === null ? "online" : "offline"] += 1;
  checkedCounter(ctx).inc({ network, outcome });
  const openMs = data["rtt_open"];
  if (typeof openMs === "number") {
    metrics.histogram(
      "monitor_open_seconds",
      "Time from the first packet to an open connection",
      { labelNames: ["network"], buckets: OPEN_BUCKETS },
    ).observe({ network }, openMs / 1_000);
  }
  const reason = failure === null ? undefined : failureText(failure);
  log.debug("relay checked", { relay: url, outcome, openMs, reason });
  if (failure !== null && failures === 0) {
    log.info("relay is offline", { relay: url, reason });
  } else if (failure === null && failures > 0) {
    log.info("relay is online again", { relay: url, failedChecks: failures });
  }
}

function checkedCounter({ metrics }: CheckCycle["ctx"]) {
  return metrics.counter(
    "monitor_relays_checked_total",
    "Relays checked, by network and outcome: online, or why not",
    ["network", "outcome"],
  );
}
