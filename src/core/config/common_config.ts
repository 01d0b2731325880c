/**
 * The keys every service's configuration begins with.
 *
 * @module
 */
import { z } from "zod";

/** Address of `/metrics`, `/healthz` and `/readyz`. */
export const metricsConfig = z.strictObject({
  enabled: z.boolean().default(false)
    .describe("Serve /metrics, /healthz and /readyz over HTTP"),
  host: z.string().min(1).default("127.0.0.1")
    .describe(
      "Address to listen on; 0.0.0.0 for all. A loopback address answers only who asks by one, or by localhost",
    ),
  port: z.int().min(0).max(65_535).default(8000)
    .describe("Port to listen on; 0 for any free one"),
  path: z.string().regex(/^\/[\w/.-]*$/, "must start with /")
    .default("/metrics").describe("Path of the Prometheus metrics"),
});

export type MetricsConfig = z.output<typeof metricsConfig>;

/**
 * The common keys, to be spread into a service's `z.strictObject`:
 *
 * ```ts
 * export const finderConfig = z.strictObject({ ...commonConfig({ intervalSeconds: 300 }), … });
 * ```
 */
export function commonConfig(defaults: { readonly intervalSeconds: number }) {
  return {
    intervalSeconds: z.number().min(1).max(604_800)
      .default(defaults.intervalSeconds)
      .describe("Seconds from the start of one cycle to the start of the next"),
    maxConsecutiveFailures: z.int().min(0).max(100).default(5)
      .describe(
        "Failed cycles in a row after which the service gives up and the process exits 1; 0 for never",
      ),
    metrics: metricsConfig.prefault({}),
  };
}
