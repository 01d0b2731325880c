/**
 * One cycle of the monitor with its defaults, in a process of its own. Argument: the database's URL. Prints as JSON when
 * it began (Unix ms), how long it took, and how much memory it needed at most.
 *
 * @module
 */
import { brotrConfig } from "../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../src/core/database/connect.ts";
import { createLogger } from "../../src/core/log/logger.ts";
import { createMetrics } from "../../src/core/metrics/metrics.ts";
import { monitor } from "../../src/services/monitor/mod.ts";

const [url = ""] = Deno.args;
const { signal } = new AbortController();
using log = createLogger({
  level: "error",
  format: "text",
  time: "iso",
  service: "bench",
});
const settings = brotrConfig.parse({ database: { url } });
await using database = await connectDatabase(settings, { log, signal });
const startedAt = Date.now();
await monitor.run({
  config: monitor.config.parse({ allowPrivate: true }),
  database,
  log,
  metrics: createMetrics("monitor", { version: "bench" }),
  signal,
  once: true,
});
const seconds = (Date.now() - startedAt) / 1_000;
const status = Deno.readTextFileSync("/proc/self/status");
const peakKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
const line = JSON.stringify({ startedAt, seconds, peakMb: peakKib / 1_024 });
Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
