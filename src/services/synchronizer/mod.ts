/**
 * Synchronizer: archives every event of every relay, and records what of each relay is proven complete.
 *
 * @module
 */
import { backoffMs } from "../../core/lifecycle/backoff.ts";
import { workInLanes } from "../../core/lifecycle/lanes.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import { slotsOf } from "../../models/network.ts";
import { parseRelayUrl } from "../../models/relay_url.ts";
import { countsAgainstRelay } from "../../transport/failure.ts";
import { Manners } from "../../transport/manners.ts";
import { type SynchronizerConfig, synchronizerConfig } from "./config.ts";
import { type HeldRelay, Leases } from "./leases.ts";
import { openPool, syncMeans } from "./means.ts";
import { startTally } from "./outcomes.ts";
import { type RelaySync, type SyncMeans, syncRelay } from "./sync_relay.ts";

export const synchronizer: Service<SynchronizerConfig> = {
  name: "synchronizer",
  summary: "Archives every event of every relay",
  config: synchronizerConfig,
  async run(ctx) {
    const { config, database, log } = ctx;
    const manners = Manners.of(ctx.manners);
    await using pool = await openPool(config, log, manners);
    await using leases = new Leases({ ...config, database, log });
    const means = syncMeans(config, { database, pool });
    await repeat(ctx, (cycle) => syncDueRelays(cycle, { means, leases }));
  },
};

/** Relays leased at once, so that several processes that start together share them. */
const MAX_TAKEN = 8;

/** How often a network with free slots asks for relays that became due. */
const ASK_AGAIN_MS = 1_000;

interface Work {
  readonly means: SyncMeans;
  readonly leases: Leases;
}

/** Works until no relay is due; what becomes due meanwhile is taken along. */
async function syncDueRelays(
  ctx: Context<SynchronizerConfig>,
  { means, leases }: Work,
): Promise<void> {
  const tally = startTally(ctx);
  const untouched = await workInLanes({
    slots: slotsOf(ctx.config.networks),
    askAgainMs: ASK_AGAIN_MS,
    take: (network, count) => leases.take(network, Math.min(count, MAX_TAKEN)),
    work: async (relay, stop) => {
      const signal = AbortSignal.any([stop, relay.lost]);
      const result = await syncHeld(means, relay, signal);
      if (result !== null) tally.add(relay, result);
      await leases.release(dueAgain(ctx.config, relay, result));
    },
  }, ctx.signal);
  for (const { relayId, dueAt, failures } of untouched) {
    await leases.release({ relayId, nextDueAt: dueAt, failures });
  }
  tally.summarize();
}

/** Null for a relay whose URL is none any more by today's rules. */
async function syncHeld(
  means: SyncMeans,
  { relayId, url }: HeldRelay,
  signal: AbortSignal,
): Promise<RelaySync | null> {
  const relay = parseRelayUrl(url, { allowPrivate: means.allowPrivate });
  if (!relay.ok) return null;
  const target = { relayId, relay: relay.value };
  return await syncRelay(means, target, { signal, onProgress: () => {} });
}

/** When a relay is looked at again: regularly, or ever later while it cannot be reached. */
function dueAgain(
  { relayIntervalSeconds, retry }: SynchronizerConfig,
  { relayId, dueAt, failures }: HeldRelay,
  result: RelaySync | null,
) {
  const now = Math.floor(Date.now() / 1_000);
  const failure = result?.failure ?? null;
  if (failure === null) {
    const wait = relayIntervalSeconds * (1 + Math.random() / 10);
    return { relayId, nextDueAt: Math.ceil(now + wait), failures: 0 };
  }
  if (failure.code === "aborted") {
    return { relayId, nextDueAt: dueAt, failures };
  }
  if (failure.code === "opted-out") {
    return { relayId, nextDueAt: now + retry.maxSeconds, failures };
  }
  const counted = failures + (countsAgainstRelay(failure) ? 1 : 0);
  const wait = backoffMs(Math.max(1, counted), {
    initialMs: retry.initialSeconds * 1_000,
    maxMs: retry.maxSeconds * 1_000,
    jitter: 0.2,
  });
  const nextDueAt = now + Math.ceil(wait / 1_000);
  return { relayId, nextDueAt, failures: counted };
}
