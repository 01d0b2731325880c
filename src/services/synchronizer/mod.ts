/**
 * Synchronizer: archives every event of every relay, and records what of each relay is proven complete.
 *
 * @module
 */
import { workInLanes } from "../../core/lifecycle/lanes.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import { parseRelayUrl } from "../../models/relay_url.ts";
import { Manners } from "../../transport/manners.ts";
import { type SynchronizerConfig, synchronizerConfig } from "./config.ts";
import { CoverageGauges } from "./coverage_gauges.ts";
import { dueAgain, type Pace } from "./due.ts";
import { introduceRelays } from "./introduce.ts";
import { type HeldRelay, Leases } from "./leases.ts";
import { LiveRelays } from "./live.ts";
import { restAfter } from "./live_rest.ts";
import { openPool, syncMeans } from "./means.ts";
import { type CycleTally, startTally } from "./outcomes.ts";
import {
  laneSlots,
  rankOf,
  type RelayLane,
  RelayLanes,
} from "./relay_lanes.ts";
import { type RelayMeans, relayMeans } from "./relay_means.ts";
import { Starts } from "./starts.ts";
import { type RelaySync, type SyncOptions, syncRelay } from "./sync_relay.ts";
import { Tiers } from "./tiers.ts";
import { Wishes } from "./wishes.ts";

export const synchronizer: Service<SynchronizerConfig> = {
  name: "synchronizer",
  summary: "Archives every event of every relay",
  config: synchronizerConfig,
  async run(ctx) {
    const { config, database, log } = ctx;
    const tiers = new Tiers(config.tiers, log);
    const manners = Manners.of(ctx.manners);
    await using pool = await openPool(config, log, manners);
    await using leases = new Leases({ ...config, database, log });
    const means = relayMeans(config, syncMeans(config, { database, pool }));
    const lanes = new RelayLanes(config, tiers);
    const starts = new Starts(config.maxNewConnectionsPerMinute);
    const gauges = new CoverageGauges(ctx);
    const wishes = new Wishes(database);
    await using live = new LiveRelays({ ctx, leases });
    const work = { means, leases, tiers, lanes, starts, gauges, wishes, live };
    await introduce(ctx, tiers);
    await repeat(ctx, (cycle) => syncDueRelays(cycle, work));
  },
};

/** Relays leased at once, so that several processes that start together share them. */
const MAX_TAKEN = 8;

/** How often a lane with free slots asks for relays that became due. */
const ASK_AGAIN_MS = 1_000;

interface Work {
  readonly means: RelayMeans;
  readonly leases: Leases;
  readonly tiers: Tiers;
  readonly lanes: RelayLanes;
  readonly starts: Starts;
  readonly gauges: CoverageGauges;
  readonly wishes: Wishes;
  readonly live: LiveRelays;
}

/** A relay in work, and how its lane treats it. */
interface DueRelay extends HeldRelay {
  readonly lane: RelayLane;
  readonly pace: Pace;
}

/** Works until no relay is due; what becomes due meanwhile is taken along. */
async function syncDueRelays(
  ctx: Context<SynchronizerConfig>,
  work: Work,
): Promise<void> {
  const tally = startTally(ctx);
  const { leases, tiers, gauges } = work;
  const untouched = await workInLanes({
    slots: laneSlots(ctx.config),
    askAgainMs: ASK_AGAIN_MS,
    take: async (lane, count) => {
      if (tiers.refresh()) await introduce(ctx, tiers);
      await gauges.keepFresh();
      return await takeDue(work, lane, Math.min(count, MAX_TAKEN));
    },
    work: (relay, stop) => syncDue(ctx, work, { relay, stop, tally }),
  }, ctx.signal);
  for (const { relayId, dueAt, failures } of untouched) {
    await leases.release({ relayId, nextDueAt: dueAt, failures });
  }
  tally.summarize();
  await (ctx.once ? gauges.refresh() : gauges.keepFresh());
}

async function introduce(
  { config, database, log }: Context<SynchronizerConfig>,
  tiers: Tiers,
): Promise<void> {
  const introduced = await introduceRelays(database, tiers.urls, config);
  if (introduced > 0) log.info("priority relays introduced", { introduced });
}

async function takeDue(
  { leases, lanes }: Work,
  lane: RelayLane,
  count: number,
): Promise<DueRelay[]> {
  const selection = lanes.selectionOf(lane);
  if (selection === null) return [];
  const taken = await leases.take(selection, count);
  return taken.map((relay) => ({
    ...relay,
    lane,
    pace: lanes.paceOf(lane, relay.url),
  }));
}

async function syncDue(
  ctx: Context<SynchronizerConfig>,
  work: Work,
  { relay, stop, tally }: {
    readonly relay: DueRelay;
    readonly stop: AbortSignal;
    readonly tally: CycleTally;
  },
): Promise<void> {
  const { config } = ctx;
  const rank = rankOf(relay.lane);
  const signal = AbortSignal.any([stop, relay.lost]);
  await work.starts.turn(rank, signal);
  const asReleased = (result: RelaySync | null) => ({
    ...dueAgain(config, relay, result),
    memory: restAfter(result, Math.floor(Date.now() / 1_000)),
  });
  const turn = await work.live.sync(relay, {
    ...{ rank, stop },
    begin: (options) => syncHeld(work, { relay, options }, config),
    dueAgain: asReleased,
  });
  if (turn.result !== null) tally.add(relay, turn.result);
  if (turn.isLive) return;
  await work.leases.release(asReleased(turn.result));
}

/** Null for a relay whose URL is none any more by today's rules. */
async function syncHeld(
  { means, wishes }: Work,
  { relay: { relayId, url }, options }: {
    readonly relay: HeldRelay;
    readonly options: SyncOptions;
  },
  { allowPrivate }: SynchronizerConfig,
): Promise<RelaySync | null> {
  const relay = parseRelayUrl(url, { allowPrivate });
  if (!relay.ok) return null;
  const ownMeans = means(relay.value);
  await wishes.tell(relayId, ownMeans.wanted.filters);
  const target = { relayId, relay: relay.value };
  return await syncRelay(ownMeans, target, options);
}
