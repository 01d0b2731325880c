/**
 * How relays are asked: all of them, or one by its override.
 *
 * @module
 */
import { z } from "zod";

export const requestsConfig = z.strictObject({
  limit: z.int().min(10).max(5_000).default(500)
    .describe("Events asked for at once; relays may give fewer"),
  idleTimeoutMs: z.int().min(100).max(600_000).default(30_000)
    .describe(
      "Silence in ms after which a request has failed; at least the network's timeoutMs",
    ),
  totalTimeoutMs: z.int().min(1_000).max(3_600_000).default(300_000)
    .describe("Duration in ms after which a request has failed"),
  maxEventBytes: z.int().min(1_024).max(16_777_216).default(2_097_152)
    .describe("Larger events are dropped and counted, in bytes"),
  maxPageBytes: z.int().min(65_536).max(1_073_741_824).default(67_108_864)
    .describe("A request that brings more has failed, in bytes"),
});

const { limit, idleTimeoutMs, totalTimeoutMs, maxEventBytes, maxPageBytes } =
  requestsConfig.shape;

/** The same keys without defaults: what is left out is as for all relays. */
export const requestsOverride = z.strictObject({
  limit: asOverride(limit),
  idleTimeoutMs: asOverride(idleTimeoutMs),
  totalTimeoutMs: asOverride(totalTimeoutMs),
  maxEventBytes: asOverride(maxEventBytes),
  maxPageBytes: asOverride(maxPageBytes),
});

function asOverride(field: z.ZodDefault<z.ZodInt>) {
  return field.unwrap().optional().describe(field.description ?? "");
}
