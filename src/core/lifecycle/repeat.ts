/**
 * The rhythm of a service: cycles on a fixed schedule, until told to stop or failing too often.
 *
 * @module
 */
import { errorText } from "../../base/error_text.ts";
import type { ServiceRuntime } from "./runtime.ts";
import type { CommonConfig, Context } from "./service.ts";
import { sleep } from "../../base/sleep.ts";

/** The part of a service's context that `repeat` needs. */
export interface Rhythm
  extends
    Pick<Context, "log" | "metrics" | "signal" | "once" | "recordRuntime"> {
  readonly config: Pick<
    CommonConfig,
    "intervalSeconds" | "maxConsecutiveFailures"
  >;
}

/** A service failed too many cycles in a row; its process exits 1. */
export class GaveUp extends Error {
  override readonly name = "GaveUp";
}

/**
 * Runs `cycle` until the signal aborts; each starts `intervalSeconds` after the start of the one before, or at
 * once when that took longer. With `once` it runs one cycle, whose error is thrown.
 *
 * Each cycle gets a context whose log lines carry a `trace` of its own. Work cut short by shutdown is not a failure.
 * Throws {@linkcode GaveUp} after `maxConsecutiveFailures`.
 */
export async function repeat<T extends Rhythm>(
  ctx: T,
  cycle: (ctx: T) => Promise<void>,
): Promise<void> {
  const state = new RuntimeState(ctx);
  try {
    while (!ctx.signal.aborted) {
      const dueAt = performance.now() + ctx.config.intervalSeconds * 1_000;
      await runCycle(ctx, cycle, state);
      if (ctx.once) return;
      await sleep(dueAt - performance.now(), ctx.signal);
    }
  } finally {
    await state.update({ running: false, cycleStartedAt: null });
  }
}

async function runCycle<T extends Rhythm>(
  ctx: T,
  cycle: (ctx: T) => Promise<void>,
  state: RuntimeState,
): Promise<void> {
  const log = ctx.log.child({ trace: crypto.randomUUID().slice(0, 8) });
  const startedAt = performance.now();
  await state.update({ cycleStartedAt: unixNow() });
  try {
    await cycle({ ...ctx, log });
    await state.finished(seconds(startedAt));
    log.debug("cycle done", { seconds: seconds(startedAt) });
  } catch (error) {
    if (ctx.signal.aborted && isCutShort(error, ctx.signal)) {
      log.debug("cycle cut short by shutdown", { error });
      return;
    }
    await state.failed(error, seconds(startedAt));
    const { consecutiveFailures } = state.runtime;
    log.error("cycle failed", { error, consecutiveFailures });
    log.debug("cycle failed at", { stack: stackOf(error) });
    if (ctx.once) throw error;
    giveUpAfter(ctx.config.maxConsecutiveFailures, consecutiveFailures, error);
  }
}

/** During shutdown only a programming error still counts: connections and waits break as a matter of course. */
function isCutShort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason ||
    !(error instanceof TypeError || error instanceof ReferenceError ||
      error instanceof RangeError);
}

function giveUpAfter(limit: number, failures: number, cause: unknown): void {
  if (limit === 0 || failures < limit) return;
  throw new GaveUp(
    `Giving up after ${failures} failed cycles in a row ("maxConsecutiveFailures" is ${limit})`,
    { cause },
  );
}

/** The statistics of one run, mirrored to metrics and to the injected recorder. */
class RuntimeState {
  readonly #ctx: Rhythm;
  runtime: ServiceRuntime;

  constructor(ctx: Rhythm) {
    this.#ctx = ctx;
    this.runtime = {
      startedAt: unixNow(),
      updatedAt: unixNow(),
      cycles: 0,
      failures: 0,
      consecutiveFailures: 0,
      intervalSeconds: ctx.config.intervalSeconds,
      cycleStartedAt: null,
      lastSuccessAt: null,
      lastCycleAt: null,
      lastCycleSeconds: null,
      lastError: null,
      running: true,
    };
  }

  finished(lastCycleSeconds: number): Promise<void> {
    const { metrics } = this.#ctx;
    metrics.observeCycle(lastCycleSeconds);
    metrics.incCounter("cycles_success");
    metrics.setGauge("consecutive_failures", 0);
    metrics.setGauge("last_cycle_timestamp", unixNow());
    return this.update({
      cycles: this.runtime.cycles + 1,
      consecutiveFailures: 0,
      cycleStartedAt: null,
      lastSuccessAt: unixNow(),
      lastCycleAt: unixNow(),
      lastCycleSeconds,
    });
  }

  failed(error: unknown, lastCycleSeconds: number): Promise<void> {
    const { metrics } = this.#ctx;
    const consecutiveFailures = this.runtime.consecutiveFailures + 1;
    metrics.observeCycle(lastCycleSeconds);
    metrics.incCounter("cycles_failed");
    metrics.incCounter(
      `errors_${error instanceof Error ? error.name : "other"}`,
    );
    metrics.setGauge("consecutive_failures", consecutiveFailures);
    return this.update({
      cycles: this.runtime.cycles + 1,
      failures: this.runtime.failures + 1,
      consecutiveFailures,
      cycleStartedAt: null,
      lastCycleAt: unixNow(),
      lastCycleSeconds,
      lastError: errorText(error).slice(0, 1_000),
    });
  }

  async update(change: Partial<ServiceRuntime>): Promise<void> {
    this.runtime = { ...this.runtime, ...change, updatedAt: unixNow() };
    try {
      await this.#ctx.recordRuntime?.(this.runtime);
    } catch (error) {
      this.#ctx.log.warn("runtime statistics not recorded", { error });
    }
  }
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1_000;
}

function unixNow(): number {
  return Math.floor(Date.now() / 1_000);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
