import { deepStrictEqual, equal, ok, rejects } from "node:assert/strict";
import {
  GaveUp,
  repeat,
  type Rhythm,
} from "../../../../src/core/lifecycle/repeat.ts";
import type { ServiceRuntime } from "../../../../src/core/lifecycle/runtime.ts";
import { createLogger } from "../../../../src/core/log/logger.ts";
import { createMetrics } from "../../../../src/core/metrics/metrics.ts";

interface Bench extends Rhythm {
  readonly lines: Record<string, unknown>[];
  readonly recorded: ServiceRuntime[];
  readonly stop: AbortController;
}

/** Everything `repeat` needs, with what it logs and records kept. */
function bench(options: {
  readonly once?: boolean;
  readonly intervalSeconds?: number;
  readonly maxConsecutiveFailures?: number;
} = {}): Bench {
  const lines: Record<string, unknown>[] = [];
  const recorded: ServiceRuntime[] = [];
  const stop = new AbortController();
  return {
    lines,
    recorded,
    stop,
    signal: stop.signal,
    once: options.once ?? false,
    config: {
      intervalSeconds: options.intervalSeconds ?? 0,
      maxConsecutiveFailures: options.maxConsecutiveFailures ?? 3,
    },
    log: createLogger({
      level: "debug",
      format: "json",
      time: "iso",
      service: "tested",
      sink: {
        write: (line) => lines.push(JSON.parse(line)),
        [Symbol.dispose]: () => {},
      },
    }),
    metrics: createMetrics("tested", { version: "1" }),
    recordRuntime: (runtime) => {
      recorded.push(runtime);
    },
  };
}

Deno.test("repeat() runs cycles until the signal aborts", async () => {
  const ctx = bench();
  let cycles = 0;
  await repeat(ctx, async () => {
    await Promise.resolve();
    if (++cycles === 3) ctx.stop.abort();
  });
  equal(cycles, 3);
});

Deno.test("repeat() runs one cycle with once, and throws what it throws", async () => {
  const ctx = bench({ once: true, intervalSeconds: 3_600 });
  let cycles = 0;
  await repeat(ctx, () => {
    cycles++;
    return Promise.resolve();
  });
  equal(cycles, 1);
  await rejects(
    repeat(bench({ once: true }), () => Promise.reject(new Error("broken"))),
    /broken/,
  );
});

Deno.test("repeat() does not start when it is stopped already", async () => {
  const ctx = bench();
  ctx.stop.abort();
  await repeat(ctx, () => Promise.reject(new Error("must not run")));
});

Deno.test("repeat() ends its wait when the signal aborts", async () => {
  const ctx = bench({ intervalSeconds: 3_600 });
  const cycled = Promise.withResolvers<void>();
  const running = repeat(ctx, () => {
    cycled.resolve();
    return Promise.resolve();
  });
  await cycled.promise;
  ctx.stop.abort();
  await running;
});

Deno.test("the interval counts from the start of a cycle, and an overrun starts the next at once", async () => {
  const intervalSeconds = 0.2;
  const ctx = bench({ intervalSeconds });
  const dialPacer: number[] = [];
  await repeat(ctx, async () => {
    dialPacer.push(performance.now());
    // The first takes half its interval, the second twice as long, the third nothing.
    const work = [100, 400, 0][dialPacer.length - 1] ?? 0;
    await new Promise((done) => setTimeout(done, work));
    if (dialPacer.length === 4) ctx.stop.abort();
  });
  const [a = 0, b = 0, c = 0, d = 0] = dialPacer;
  ok(b - a >= 195, `the second started after ${b - a} ms`);
  ok(c - b >= 395, `the third started after ${c - b} ms`);
  ok(c - b < 595, `the third waited although it was late: ${c - b} ms`);
  ok(d - c >= 195, `the fourth started after ${d - c} ms`);
});

Deno.test("repeat() gives up after maxConsecutiveFailures and names the last error", async () => {
  const ctx = bench({ maxConsecutiveFailures: 3 });
  let cycles = 0;
  await rejects(
    repeat(ctx, () => Promise.reject(new Error(`broken ${++cycles}`))),
    (error) => {
      ok(error instanceof GaveUp);
      equal(
        error.message,
        'Giving up after 3 failed cycles in a row ("maxConsecutiveFailures" is 3)',
      );
      ok(error.cause instanceof Error && error.cause.message === "broken 3");
      return true;
    },
  );
  equal(cycles, 3);
});

Deno.test("a success between failures starts the count anew, and 0 means never", async () => {
  const ctx = bench({ maxConsecutiveFailures: 2 });
  let cycles = 0;
  await repeat(ctx, () => {
    cycles++;
    if (cycles === 8) ctx.stop.abort();
    return cycles % 2 === 1
      ? Promise.reject(new Error("odd"))
      : Promise.resolve();
  });
  equal(ctx.recorded.at(-1)?.failures, 4);

  const patient = bench({ maxConsecutiveFailures: 0 });
  let failures = 0;
  await repeat(patient, () => {
    if (++failures === 50) patient.stop.abort();
    return Promise.reject(new Error("always"));
  });
  equal(failures, 50);
});

Deno.test("work cut short by shutdown is no failure, a bug during shutdown is one", async () => {
  const ctx = bench({ maxConsecutiveFailures: 1 });
  await repeat(ctx, () => {
    ctx.stop.abort();
    return Promise.reject(new Error("connection closed"));
  });
  equal(ctx.recorded.at(-1)?.failures, 0);
  ok(!ctx.lines.some(({ level }) => level === "error"));

  const buggy = bench({ maxConsecutiveFailures: 1 });
  await rejects(
    repeat(buggy, () => {
      buggy.stop.abort();
      return Promise.reject(new TypeError("undefined is not a function"));
    }),
    GaveUp,
  );
});

Deno.test("each cycle logs under a trace of its own", async () => {
  const ctx = bench();
  let cycles = 0;
  await repeat(ctx, ({ log }) => {
    log.info("working");
    log.child({ relay: "wss://a.example" }).info("deeper");
    if (++cycles === 2) ctx.stop.abort();
    return Promise.resolve();
  });
  const traces = ctx.lines.filter(({ message }) =>
    message === "working" || message === "deeper"
  )
    .map(({ trace }) => trace);
  equal(traces.length, 4);
  equal(traces[0], traces[1]);
  equal(traces[2], traces[3]);
  ok(traces[0] !== traces[2] && /^[0-9a-f]{8}$/.test(String(traces[0])));
});

Deno.test("statistics say how the service is doing", async () => {
  const ctx = bench({ maxConsecutiveFailures: 2 });
  let cycles = 0;
  await rejects(
    repeat(
      ctx,
      () =>
        ++cycles === 1
          ? Promise.resolve()
          : Promise.reject(new Error("no luck")),
    ),
  );
  const [start] = ctx.recorded;
  ok(start?.running && start.cycleStartedAt !== null && start.cycles === 0);
  const end = ctx.recorded.at(-1);
  deepStrictEqual(
    {
      cycles: end?.cycles,
      failures: end?.failures,
      consecutiveFailures: end?.consecutiveFailures,
      lastError: end?.lastError,
      running: end?.running,
      cycleStartedAt: end?.cycleStartedAt,
    },
    {
      cycles: 3,
      failures: 2,
      consecutiveFailures: 2,
      lastError: "no luck",
      running: false,
      cycleStartedAt: null,
    },
  );
  ok(end?.lastSuccessAt !== null && end?.lastCycleAt !== null);
  const text = await ctx.metrics.registry.metrics();
  ok(
    text.includes(
      'bigbrotr_service_counter_total{service="tested",name="cycles_success"} 1',
    ),
    text,
  );
  ok(
    text.includes(
      'bigbrotr_service_counter_total{service="tested",name="cycles_failed"} 2',
    ),
    text,
  );
  ok(
    text.includes(
      'service_gauge{service="tested",name="consecutive_failures"} 2',
    ),
    text,
  );
  ok(
    text.includes('bigbrotr_cycle_duration_seconds_count{service="tested"} 3'),
    text,
  );
});

Deno.test("a recorder that fails is logged and does not fail the cycle", async () => {
  const ctx = bench({ once: true });
  let cycles = 0;
  await repeat(
    { ...ctx, recordRuntime: () => Promise.reject(new Error("database gone")) },
    () => {
      cycles++;
      return Promise.resolve();
    },
  );
  equal(cycles, 1);
  ok(
    ctx.lines.some(({ message }) =>
      message === "runtime statistics not recorded"
    ),
  );
});
