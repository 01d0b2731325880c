/**
 * Publication as a whole: what the service does about it at its start, in each cycle, and beside its cycles.
 *
 * @module
 */
import { insertRelays } from "../../core/database/relays.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { untilMoment } from "../../core/lifecycle/time_limit.ts";
import { forgetUnwatched } from "./alerts.ts";
import type { MonitorConfig } from "./config.ts";
import { countWaiting, sendDue, type SenderMeans } from "./outbox_sender.ts";
import { publishSelf } from "./publish_self.ts";
import { usableRelays } from "./publisher.ts";

type MonitorContext = Context<MonitorConfig>;

/** With `--once`, what is due is sent before the end, for as long at most, ms. */
const FLUSH_MS = 60_000;

/** Runs the service's cycles and, beside them, sends what the outbox holds. Throws what either throws first. */
export async function whileSending(
  ctx: MonitorContext,
  means: SenderMeans | null,
  run: (ctx: MonitorContext) => Promise<void>,
): Promise<void> {
  if (means === null || ctx.once) return await run(ctx);
  const ended = new AbortController();
  const signal = AbortSignal.any([ctx.signal, ended.signal]);
  const both = [run({ ...ctx, signal }), keepSending({ ...ctx, signal }, means)]
    .map((one) => one.finally(() => ended.abort()));
  const outcomes = await Promise.allSettled(both);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

/** What one cycle does before it checks. */
export async function beginPublication(
  ctx: MonitorContext,
  { publisher }: SenderMeans,
): Promise<void> {
  const { config, database } = ctx;
  await forgetUnwatched(ctx);
  // What is watched has to be checked, even if nobody ever saw it answer.
  const { operators, watch } = config.alerts;
  if (operators.length > 0) {
    await insertRelays(database, usableRelays(watch, config));
  }
  await publishSelf(ctx, publisher);
}

/** What one cycle does after it checked. */
export async function endPublication(
  ctx: MonitorContext,
  means: SenderMeans,
): Promise<void> {
  if (ctx.once) {
    await untilMoment(
      performance.now() + FLUSH_MS,
      ctx.signal,
      (signal) => sendDue(ctx, means, signal),
    );
  }
  await countWaiting(ctx, means.publisher);
}

/** A rhythm of its own, whose cycles are not the service's. */
async function keepSending(
  ctx: MonitorContext,
  means: SenderMeans,
): Promise<void> {
  const { maxConsecutiveFailures, publish } = ctx.config;
  const { log, signal } = ctx;
  await repeat({
    config: { intervalSeconds: publish.sendSeconds, maxConsecutiveFailures },
    log: log.child({ part: "publication" }),
    metrics: silent(ctx.metrics),
    signal,
    once: false,
  }, ({ log, signal }) => sendDue({ ...ctx, log }, means, signal));
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
