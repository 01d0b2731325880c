/**
 * Synchronizer: archives every event of every relay, and records what of each relay is proven complete.
 *
 * @module
 */
import type { Crowding } from "../../archive/candidates.ts";
import { hastenRelays, visitAgain } from "../../archive/leases.ts";
import { watchClock } from "../../archive/clock_watch.ts";
import { OPT_OUT_KEYS, optedOutHosts } from "../../core/config/opt_out.ts";
import { liveOptOut } from "../../core/lifecycle/reload.ts";
import { workInQueues } from "../../core/lifecycle/queues.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import type { HostList } from "../../models/host_list.ts";
import { parseRelayUrl } from "../../models/relay_url.ts";
import {
  type AddressSlots,
  authorityIn,
  limiterOf,
  Politeness,
  takeWhereFree,
} from "../../transport/politeness.ts";
import {
  type SynchronizerConfig,
  synchronizerConfig,
} from "./config/config.ts";
import { CoverageGauges } from "./coverage_gauges.ts";
import { CoverageTargets } from "./coverage_targets.ts";
import { dueAgain, longestOf, longestWaitSeconds } from "./scheduling/due.ts";
import { introduceRelays } from "./scheduling/introduce.ts";
import { Leases, type RelayLease, SERVICE } from "./scheduling/leases.ts";
import { LiveRelays } from "./live/live_relays.ts";
import { cooldownAfter } from "./live/cooldown.ts";
import {
  authKey,
  openPool,
  type RelayDeps,
  relayDeps,
  syncDeps,
} from "./wiring.ts";
import {
  COMMITS_LOST,
  CONSEQUENCE,
  type CycleStats,
  FUTURE_RETRACTED,
  startCycleStats,
} from "./reporting.ts";
import {
  queueSlots,
  rankOf,
  type RelayQueue,
  RelayQueues,
} from "./scheduling/relay_queues.ts";
import { DialPacer } from "./scheduling/dial_pacer.ts";
import { type RelaySync, type SyncOptions, syncRelay } from "./sync_relay.ts";
import { TIER_KEYS } from "./config/tiers.ts";
import { readPriorityFiles, Tiers } from "./scheduling/tiers.ts";
import { progressLog } from "./walk_progress.ts";

export const synchronizer: Service<SynchronizerConfig> = {
  name: SERVICE,
  summary: "Archives every event of every relay",
  config: synchronizerConfig,
  reloaded: [...OPT_OUT_KEYS, ...TIER_KEYS],
  readNamed(config) {
    optedOutHosts(config);
    authKey(config);
    readPriorityFiles(config.tiers);
  },
  async run(ctx) {
    const { config, database, log } = ctx;
    const tiers = new Tiers(config.tiers, log);
    let longestWait = longestWaitSeconds(config);
    ctx.onReload?.((config) => {
      tiers.replace(config.tiers);
      longestWait = longestWaitSeconds(config);
    });
    const optOut = liveOptOut(
      ctx,
      (hosts) => void visitAgain(ctx, SERVICE, hosts),
    );
    const own = new Politeness(config);
    const shared = Politeness.of(ctx.politeness);
    await using _clock = await watchClock({ ...ctx, consequence: CONSEQUENCE });
    await using pool = await openPool(config, log, limiterOf(own, shared));
    await using leases = new Leases({
      database,
      log,
      leaseSeconds: config.leaseSeconds,
      longestWaitSeconds: () => longestWait,
    });
    const deps = relayDeps(
      config,
      syncDeps(config, { database, pool, firstSlotTimeoutMs: 0 }),
    );
    const queues = new RelayQueues(config, tiers);
    const dialPacer = new DialPacer(config.maxNewConnectionsPerMinute);
    const gauges = new CoverageGauges(ctx);
    const targets = new CoverageTargets(database);
    await using live = new LiveRelays({ ctx, leases });
    const work = {
      deps,
      leases,
      slots: (shared ?? own).slots,
      tiers,
      queues,
      dialPacer,
      gauges,
      targets,
      live,
    };
    ctx.onReload?.(() => {
      pool.optOut(optOut.patterns);
      leases.abandon((url) => hasOptedOut(optOut, url));
    });
    await takeOver(ctx, work);
    await repeat(ctx, (cycle) => syncDueRelays(cycle, work));
  },
};

/** Relays leased at once, so that several processes that start together share them. */
const MAX_TAKEN = 8;

/** How often a queue with free slots asks for relays that became due. */
const ASK_AGAIN_MS = 1_000;

interface Work {
  readonly deps: RelayDeps;
  readonly leases: Leases;
  /** The slots that the workers take. */
  readonly slots: AddressSlots;
  readonly tiers: Tiers;
  readonly queues: RelayQueues;
  readonly dialPacer: DialPacer;
  readonly gauges: CoverageGauges;
  readonly targets: CoverageTargets;
  readonly live: LiveRelays;
}

/** A relay in work, with its queue. */
interface DueRelay extends RelayLease {
  readonly queue: RelayQueue;
}

/** Works until no relay is due; what becomes due meanwhile is taken along. */
async function syncDueRelays(
  ctx: Context<SynchronizerConfig>,
  work: Work,
): Promise<void> {
  const stats = startCycleStats(ctx);
  const { leases, tiers, gauges } = work;
  const untouched = await workInQueues({
    slots: queueSlots(ctx.config),
    askAgainMs: ASK_AGAIN_MS,
    take: async (queue, count) => {
      if (tiers.refresh()) await takeOver(ctx, work);
      await gauges.keepFresh();
      return await takeWhereFree(
        work.slots,
        (crowded) =>
          takeDue(work, queue, {
            limit: Math.min(count, MAX_TAKEN),
            ...crowded,
          }),
        ctx,
      );
    },
    work: (relay, stop) => syncDue(ctx, work, { relay, stop, stats }),
  }, ctx.signal);
  for (const { relayId } of untouched) await leases.release({ relayId });
  stats.summarize();
  await (ctx.once ? gauges.refresh() : gauges.keepFresh());
}

/** Makes known the relays of the tiers, and due those that would wait for longer than their tier lets them. */
async function takeOver(
  { config, database, log }: Context<SynchronizerConfig>,
  { tiers, queues }: Work,
): Promise<void> {
  const introduced = await introduceRelays(database, tiers.urls, config);
  if (introduced > 0) log.info("priority relays introduced", { introduced });
  for (const [intervalSeconds, urls] of queues.byInterval()) {
    const withinSeconds = longestOf(intervalSeconds);
    await hastenRelays(database, { service: SERVICE, urls, withinSeconds });
  }
}

async function takeDue(
  { leases, queues }: Work,
  queue: RelayQueue,
  { limit, ...crowded }: Crowding & { readonly limit: number },
): Promise<DueRelay[]> {
  const selection = queues.selectionOf(queue);
  if (selection === null) return [];
  const taken = await leases.take({ ...selection, ...crowded }, limit);
  return taken.map((relay) => ({ ...relay, queue }));
}

async function syncDue(
  ctx: Context<SynchronizerConfig>,
  work: Work,
  { relay, stop, stats }: {
    readonly relay: DueRelay;
    readonly stop: AbortSignal;
    readonly stats: CycleStats;
  },
): Promise<void> {
  const { config } = ctx;
  const { relayId, url } = relay;
  // Who finds no slot at his address is put back at once, for others to be synced.
  if (work.slots.isFull(authorityIn(url))) {
    return await work.leases.release({ relayId });
  }
  const rank = rankOf(relay.queue);
  const signal = AbortSignal.any([stop, relay.lost]);
  await work.dialPacer.wait(rank, signal);
  const asReleased = (result: RelaySync | null) => {
    const interval = work.queues.intervalOf(relay.queue, url);
    return {
      ...dueAgain(config, { ...relay, interval }, result),
      memory: cooldownAfter(result, relay.now()),
    };
  };
  const end = await work.live.sync(relay, {
    rank,
    stop,
    begin: (options) => syncLeased(ctx, work, { relay, options }),
    dueAgain: asReleased,
  });
  const isBusy = end.result?.failure?.code === "busy";
  if (isBusy) work.dialPacer.giveBack();
  else if (end.result !== null) stats.add(relay, end.result);
  if (end.isLive) return;
  await work.leases.release(asReleased(end.result));
}

function hasOptedOut(optOut: HostList, url: string): boolean {
  const relay = parseRelayUrl(url, { allowPrivate: true });
  return relay.ok && optOut.has(relay.value.host);
}

/** Syncs a leased relay; null for one that the rules of today do not accept any more. */
async function syncLeased(
  { config: { allowPrivate }, log }: Context<SynchronizerConfig>,
  work: Work,
  { relay: { relayId, url }, options }: {
    readonly relay: RelayLease;
    readonly options: SyncOptions;
  },
): Promise<RelaySync | null> {
  const { deps, leases, targets } = work;
  const relay = parseRelayUrl(url, { allowPrivate });
  if (!relay.ok) return null;
  const ownDeps = deps(relay.value);
  await targets.record(relayId, ownDeps.wanted.filters);
  const target = { relayId, relay: relay.value };
  const logProgress = progressLog(log, url);
  return await syncRelay(ownDeps, target, {
    ...options,
    onProgress(counts) {
      options.onProgress(counts);
      leases.report({ relayId, ...counts });
      logProgress(counts);
    },
    onFutureRetracted: (seconds) =>
      log.warn(FUTURE_RETRACTED, { relay: url, seconds }),
    onCommitLoss(reason) {
      log.warn(COMMITS_LOST, { relay: url, reason });
      targets.forget();
    },
  });
}
