import { ok, throws } from "node:assert/strict";
import { Registry } from "prom-client";
import { createMetrics } from "../../../../src/core/metrics/metrics.ts";

Deno.test("every series carries its service, also when services share a registry", async () => {
  const registry = new Registry();
  const finder = createMetrics("finder", { version: "1.2.3", registry });
  const monitor = createMetrics("monitor", { version: "1.2.3", registry });
  for (const metrics of [finder, monitor]) {
    metrics.setGauge("open", 2);
    metrics.incCounter("asked");
    metrics.incCounter("asked", 4);
    metrics.observeCycle(3);
    metrics.counter("checks_total", "Checks", ["network"]).inc({
      network: "tor",
    });
    metrics.gauge("relays", "Relays", ["network"]).set({ network: "tor" }, 9);
    const shape = { labelNames: ["network"], buckets: [1, 5] };
    metrics.histogram("rtt_seconds", "Round trip", shape)
      .observe({ network: "tor" }, 0.5);
  }
  const text = await registry.metrics();
  for (const service of ["finder", "monitor"]) {
    for (
      const series of [
        `bigbrotr_service_info{service="${service}",version="1.2.3"} 1`,
        `bigbrotr_service_gauge{service="${service}",name="open"} 2`,
        `bigbrotr_service_counter_total{service="${service}",name="asked"} 5`,
        `bigbrotr_cycle_duration_seconds_bucket{le="5",service="${service}"} 1`,
        `bigbrotr_checks_total{service="${service}",network="tor"} 1`,
        `bigbrotr_relays{service="${service}",network="tor"} 9`,
        `bigbrotr_rtt_seconds_count{service="${service}",network="tor"} 1`,
      ]
    ) ok(text.includes(`${series}\n`), `${series} is missing in\n${text}`);
  }
});

Deno.test("a label that was not declared is an error, since it would be a series nobody expects", () => {
  const metrics = createMetrics("finder", { version: "1" });
  const counter = metrics.counter("checks_total", "Checks", ["network"]);
  throws(() => counter.inc({ url: "wss://a.example" }));
});
