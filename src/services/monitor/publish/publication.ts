/**
 * Publication as a whole: beside the service's cycles, and in rhythms of its own, so that neither waits for the other.
 *
 * @module
 */
import { insertRelays } from "../../../archive/relays.ts";
import { repeat } from "../../../core/lifecycle/repeat.ts";
import type { Context } from "../../../core/lifecycle/service.ts";
import { untilMoment } from "../../../core/lifecycle/time_limit.ts";
import { forgetUnwatched } from "../alerts.ts";
import type { MonitorConfig } from "../config.ts";
import {
  countWaiting,
  expireOld,
  sendDue,
  type SenderDeps,
} from "../../../publishing/outbox_sender.ts";
import { publishSelf } from "./self.ts";
import { type Publisher, usableRelays } from "./publisher.ts";

/** The deps of publication. */
interface PublicationDeps extends SenderDeps {
  readonly publisher: Publisher;
}

type MonitorContext = Context<MonitorConfig>;

/** With `--once`, what is due is sent before the end, for as long at most, ms. */
const FLUSH_MS = 60_000;

/** Runs the service's cycles and, beside them, publishes. Throws what either throws first; null publishes nothing. */
export async function whilePublishing(
  ctx: MonitorContext,
  deps: PublicationDeps | null,
  run: (ctx: MonitorContext) => Promise<void>,
): Promise<void> {
  if (deps === null) return await run(ctx);
  if (!ctx.once) return await inRhythm(ctx, deps, run);
  await upkeep(ctx, deps);
  await run(ctx);
  await untilMoment(
    performance.now() + FLUSH_MS,
    ctx.signal,
    (signal) => sendDue({ ...ctx, signal }, deps),
  );
  await countWaiting(ctx, deps);
}

async function inRhythm(
  ctx: MonitorContext,
  deps: PublicationDeps,
  run: (ctx: MonitorContext) => Promise<void>,
): Promise<void> {
  const { intervalSeconds, publish } = ctx.config;
  const ended = new AbortController();
  const signal = AbortSignal.any([ctx.signal, ended.signal]);
  const own = { ...ctx, signal };
  const all = [
    run(own),
    every(own, intervalSeconds, (ctx) => upkeep(ctx, deps)),
    every(own, publish.sendSeconds, (ctx) => sendDue(ctx, deps)),
  ].map((one) => one.finally(() => ended.abort()));
  for (const outcome of await Promise.allSettled(all)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

/** Housekeeping that is done now and then, whatever is sent meanwhile. */
async function upkeep(
  ctx: MonitorContext,
  deps: PublicationDeps,
): Promise<void> {
  const { config, database } = ctx;
  await forgetUnwatched(ctx);
  // Watched relays are checked even if none ever answered.
  const { operators, watch } = config.alerts;
  if (operators.length > 0) {
    await insertRelays(database, usableRelays(watch, config));
  }
  await publishSelf(ctx, deps.publisher);
  await expireOld(ctx);
  await countWaiting(ctx, deps);
}

/** A rhythm whose cycles are not the service's. */
async function every(
  ctx: MonitorContext,
  intervalSeconds: number,
  work: (ctx: MonitorContext) => Promise<void>,
): Promise<void> {
  const { maxConsecutiveFailures } = ctx.config;
  await repeat({
    config: { intervalSeconds, maxConsecutiveFailures },
    log: ctx.log.child({ part: "publication" }),
    metrics: silent(ctx.metrics),
    signal: ctx.signal,
    once: false,
  }, ({ log }) => work({ ...ctx, log }));
}

/** Without the statistics that `repeat` keeps of a service's cycles. */
function silent(metrics: MonitorContext["metrics"]) {
  return {
    registry: metrics.registry,
    counter: metrics.counter.bind(metrics),
    gauge: metrics.gauge.bind(metrics),
    histogram: metrics.histogram.bind(metrics),
    setGauge: () => {},
    incCounter: () => {},
    observeCycle: () => {},
  };
}
