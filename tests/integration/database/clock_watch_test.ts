import assert from "node:assert/strict";
import { ClockWatch } from "../../../src/archive/clock_watch.ts";
import { createLogger } from "../../../src/core/log/logger.ts";
import { createMetrics } from "../../../src/core/metrics/metrics.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { shiftClock } from "../../support/shifted_clock.ts";

const { signal } = new AbortController();

Deno.test("ClockWatch says that the clocks differ once a change, with both times and what follows", async () => {
  await using archive = await testArchive();
  const { compare } = clockWatch(archive);
  const said: unknown[] = [];
  // Ahead by a day, and so again; then by an hour only; then right, and so again; then behind.
  for (const seconds of [86_400, 86_401, 3_600, 0, 1, -60]) {
    using _clock = shiftClock(seconds);
    const { skew, line } = await compare();
    assert.ok(Math.abs(skew - seconds) < 2, `${skew} s for ${seconds}`);
    said.push(line?.["message"] ?? null);
    if (line?.["level"] !== "warn") continue;
    assert.ok(Math.abs(Number(line["skewSeconds"]) - seconds) < 2);
    const apartMs = Date.parse(String(line["here"])) -
      Date.parse(String(line["database"]));
    assert.ok(Math.abs(apartMs / 1_000 - seconds) < 3, `${apartMs} ms`);
    assert.equal(line["consequence"], "nothing works");
  }
  const differs = "clock differs from the database's";
  const agrees = "clock agrees with the database's again";
  assert.deepEqual(said, [differs, null, differs, agrees, null, differs]);
});

Deno.test("ClockWatch goes on when the database cannot say its time", async () => {
  await using archive = await testArchive();
  const { compare } = clockWatch(archive);
  await archive.sql`alter function clock_get() rename to clock_lost`;
  assert.equal((await compare()).line?.["message"], "clock not compared");
  await archive.sql`alter function clock_lost() rename to clock_get`;
  using _clock = shiftClock(60);
  const { line } = await compare();
  assert.equal(line?.["message"], "clock differs from the database's");
});

/** Gives what a comparison set and said. */
function clockWatch({ database }: TestArchive) {
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics("test", { version: "test" });
  const log = createLogger({
    ...{ level: "info", format: "json", time: "iso", service: "test" } as const,
    sink: {
      write: (line) => void lines.push(JSON.parse(line)),
      [Symbol.dispose]: () => {},
    },
  });
  const consequence = "nothing works";
  const watch = new ClockWatch({ database, log, metrics, consequence });
  const compare = async () => {
    await watch.compare(signal);
    const gauge = metrics.registry.getSingleMetric(
      "bigbrotr_clock_skew_seconds",
    );
    const skew = (await gauge?.get())?.values[0]?.value ?? NaN;
    return { skew, line: lines.splice(0).at(-1) };
  };
  return { compare };
}
