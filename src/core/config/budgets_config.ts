/**
 * Budgets of candidates from one place, so that a flood cannot displace the rest; for every service that finds some.
 *
 * @module
 */
import { z } from "zod";

export const budgetsConfig = z.strictObject({
  maxPerHost: z.int().min(0).max(1_000_000).default(50)
    .describe("Candidates and relays of one host; 0 for no bound"),
  maxPerDomain: z.int().min(0).max(1_000_000).default(500)
    .describe(
      "Candidates and relays of one registrable domain; 0 for no bound",
    ),
  maxPerAuthor: z.int().min(0).max(1_000_000).default(1_000)
    .describe("Candidates first mentioned by one public key; 0 for no bound"),
});
