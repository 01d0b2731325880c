/**
 * Metrics of a service: prom-client behind a few verbs, every series labelled with its service.
 *
 * Labels are of low cardinality (network, reason, kind of failure), never a URL or an id.
 *
 * @module
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Of every metric but those of the process, which have the names that every Prometheus client gives them. */
export const METRIC_PREFIX = "bigbrotr_";

export type Labels = Readonly<Record<string, string>>;

export interface HistogramShape {
  readonly labelNames: readonly string[];
  /** Upper bounds, ascending; one for everything above is added. */
  readonly buckets: readonly number[];
}

export interface ServiceMetrics {
  readonly registry: Registry;
  /** `bigbrotr_service_gauge{service,name}`. */
  setGauge(name: string, value: number): void;
  /** `bigbrotr_service_counter_total{service,name}`. */
  incCounter(name: string, by?: number): void;
  /** The duration of one cycle, into `bigbrotr_cycle_duration_seconds{service}`. */
  observeCycle(seconds: number): void;
  /**
   * A counter of the service's own, named without the prefix. Asking twice for one name gives the same counter.
   * The help says what it counts and, where that is not plain, what to look at when it grows.
   */
  counter(
    name: string,
    help: string,
    labelNames: readonly string[],
  ): { inc(labels: Labels, by?: number): void };
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
  ): { set(labels: Labels, value: number): void };
  histogram(
    name: string,
    help: string,
    shape: HistogramShape,
  ): { observe(labels: Labels, value: number): void };
}

const CYCLE_BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/** The metrics of one service. Services in one process (`up`) share a registry and differ by label. */
export function createMetrics(
  service: string,
  { version, registry = new Registry() }: {
    readonly version: string;
    readonly registry?: Registry;
  },
): ServiceMetrics {
  const metrics = new RegistryMetrics(service, registry);
  metrics.gauge(
    "service_info",
    "Constant 1: which services run here, in which version",
    ["version"],
  ).set({ version }, 1);
  return metrics;
}

class RegistryMetrics implements ServiceMetrics {
  readonly registry: Registry;
  readonly #service: string;

  constructor(service: string, registry: Registry) {
    this.#service = service;
    this.registry = registry;
  }

  setGauge(name: string, value: number): void {
    this.gauge(
      "service_gauge",
      "Current value of `name`; consecutive_failures above 0: cycles fail, and the log says why",
      ["name"],
    ).set({ name }, value);
  }

  incCounter(name: string, by = 1): void {
    this.counter(
      "service_counter_total",
      "How often `name` happened; when cycles_failed grows, errors_* say of what",
      ["name"],
    ).inc({ name }, by);
  }

  observeCycle(seconds: number): void {
    const help =
      "Duration of one cycle; longer than the service's interval: it falls behind";
    const shape = { labelNames: [], buckets: CYCLE_BUCKETS };
    this.histogram("cycle_duration_seconds", help, shape).observe({}, seconds);
  }

  counter(name: string, help: string, labelNames: readonly string[]) {
    const found = this.registry.getSingleMetric(METRIC_PREFIX + name);
    const counter = found instanceof Counter
      ? found
      : new Counter(this.#options(name, help, labelNames));
    return {
      inc: (labels: Labels, by = 1) => counter.inc(this.#labels(labels), by),
    };
  }

  gauge(name: string, help: string, labelNames: readonly string[]) {
    const found = this.registry.getSingleMetric(METRIC_PREFIX + name);
    const gauge = found instanceof Gauge
      ? found
      : new Gauge(this.#options(name, help, labelNames));
    return {
      set: (labels: Labels, value: number) =>
        gauge.set(this.#labels(labels), value),
    };
  }

  histogram(
    name: string,
    help: string,
    { labelNames, buckets }: HistogramShape,
  ) {
    const found = this.registry.getSingleMetric(METRIC_PREFIX + name);
    const histogram = found instanceof Histogram ? found : new Histogram({
      ...this.#options(name, help, labelNames),
      buckets: [...buckets],
    });
    return {
      observe: (labels: Labels, value: number) =>
        histogram.observe(this.#labels(labels), value),
    };
  }

  #options(name: string, help: string, labelNames: readonly string[]) {
    return {
      name: METRIC_PREFIX + name,
      help,
      labelNames: ["service", ...labelNames],
      registers: [this.registry],
    };
  }

  #labels(labels: Labels): Record<string, string> {
    return { service: this.#service, ...labels };
  }
}
