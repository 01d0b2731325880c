/**
 * Tiers: the relays that matter most to the operator, each tier with its own pace and its own connections.
 *
 * @module
 */
import { z } from "zod";
import { relayUrlConfig } from "./relay_url.ts";

/** Highest first. */
export const TIERS = ["high", "medium", "low"] as const;

export type Tier = (typeof TIERS)[number];

/** The relays of a tier come from its list, from its file, or from both; the highest tier that names one has it. */
export const tiersConfig = z.strictObject({
  high: tier({ intervalSeconds: 60, maxConnections: 10 }),
  medium: tier({ intervalSeconds: 300, maxConnections: 20 }),
  low: tier({ intervalSeconds: 3_600, maxConnections: 50 }),
});

/** Keys that are gone by anew at each reading: how many relays are in work at once is settled at the start. */
export const TIER_KEYS = TIERS.flatMap((tier) =>
  ["relays", "priorityFile", "intervalSeconds"].map((key) =>
    `tiers.${tier}.${key}`
  )
);

export type TiersConfig = z.output<typeof tiersConfig>;

function tier(
  defaults: {
    readonly intervalSeconds: number;
    readonly maxConnections: number;
  },
) {
  return z.strictObject({
    relays: z.array(relayUrlConfig).max(100_000).default([])
      .describe("Relays of this tier; those that are unknown are introduced"),
    priorityFile: z.string().min(1).optional()
      .describe(
        "File with more of them, one URL a line; read again when it changes",
      ),
    intervalSeconds: z.int().min(1).max(2_592_000)
      .default(defaults.intervalSeconds)
      .describe("Seconds from the end of one sync of a relay to the next"),
    maxConnections: z.int().min(1).max(1_000).default(defaults.maxConnections)
      .describe(
        "Relays of this tier in work at the same time, beside those of networks.*.maxConnections",
      ),
  }).prefault({});
}
