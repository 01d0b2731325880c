/**
 * Configuration of the refresher.
 *
 * @module
 */
import { z } from "zod";
import { commonConfig } from "../../core/config/common_config.ts";

export const refresherConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 1 }),
  maxFactsPerTransaction: z.int().min(1).max(10_000).default(200)
    .describe(
      "Facts folded in one transaction at most, each what one batch changed (up to 1,000 events): more are cheaper an event, and take more memory",
    ),
  maxBusyShare: z.number().min(0.01).max(1).default(1)
    .describe(
      "Share of the time that is worked at most, so that little is left undone for others; below 1 a backlog lasts longer",
    ),
  derived: z.strictObject({
    contacts: z.boolean().default(true)
      .describe("Keep who follows whom, by the newest contact lists"),
    assertions: z.boolean().default(true)
      .describe(
        "Keep what NIP-85 asserts about authors: posts, reactions, verified zaps, reports, topics, hours",
      ),
    targets: z.boolean().default(false)
      .describe(
        "And about every event and address that somebody answered: a row each",
      ),
  }).prefault({}),
});

export type RefresherConfig = z.output<typeof refresherConfig>;
