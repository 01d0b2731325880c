/**
 * Metrics of a process, read when somebody asks: its resources under the names that every Prometheus client gives
 * them, and which program it is.
 *
 * @module
 */
import process from "node:process";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { METRIC_PREFIX } from "./metrics.ts";
import { type OpenFiles, openOpenFiles } from "./open_files.ts";

export interface ProcessMetricsOptions {
  readonly registry: Registry;
  readonly version: string;
}

/** The event loop is asked this often how late it is. */
const LOOP_SAMPLE_MS = 1_000;

/** From what nobody notices to what makes peers hang up. */
const LOOP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Adds the metrics of this process to a registry; disposing ends the sampling of the event loop, and what it reads with. */
export function openProcessMetrics(
  { registry, version }: ProcessMetricsOptions,
): Disposable {
  const registers = [registry];
  const stack = new DisposableStack();
  registerResources(registry, stack.use(openOpenFiles()));
  const info = new Gauge({
    name: `${METRIC_PREFIX}build_info`,
    help:
      "Constant 1: which program this is; versions that differ between machines explain what differs between them",
    labelNames: ["version", "deno", "v8", "target"],
    registers,
  });
  const { deno, v8 } = Deno.version;
  info.set({ version, deno, v8, target: Deno.build.target }, 1);
  const lateness = new Histogram({
    name: `${METRIC_PREFIX}event_loop_delay_seconds`,
    help:
      "How late a timer of the main thread fires, asked once a second; above 0.1 the process is short of CPU, and peers time out",
    buckets: LOOP_SECONDS,
    registers,
  });
  stack.use(sampleLoop((seconds) => lateness.observe(seconds)));
  return stack;
}

function sampleLoop(observe: (seconds: number) => void): Disposable {
  let dueAt = performance.now() + LOOP_SAMPLE_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    observe(Math.max(0, now - dueAt) / 1_000);
    dueAt = now + LOOP_SAMPLE_MS;
  }, LOOP_SAMPLE_MS);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function registerResources(registry: Registry, files: OpenFiles): void {
  const registers = [registry];
  let counted = 0;
  new Counter({
    name: "process_cpu_seconds_total",
    help:
      "CPU time of all threads, in seconds; its rate near the number of processors: signatures set the pace",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const seconds = (user + system) / 1e6;
      this.inc(Math.max(0, seconds - counted));
      counted = Math.max(counted, seconds);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help:
      "Memory in use, in bytes; PostgreSQL's is not in it. Growing for days: report it",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help:
      "Unix seconds at which the process started; a change is a restart: look at the log before it",
    registers,
  }).set(Math.round(performance.timeOrigin) / 1_000);
  new Gauge({
    name: "process_open_fds",
    help: "Open file descriptors, sockets to relays among them",
    registers,
    collect() {
      this.set(files.count());
    },
  });
  new Gauge({
    name: "process_max_fds",
    help:
      "Limit on open file descriptors (LimitNOFILE=); near process_open_fds: raise it, or no relay can be dialled",
    registers,
    collect() {
      this.set(files.limit());
    },
  });
}
