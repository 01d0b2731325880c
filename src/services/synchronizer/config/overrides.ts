/**
 * Overrides: what is different for one relay.
 *
 * @module
 */
import { z } from "zod";
import { filtersConfig } from "./filters.ts";
import { relayUrlConfig } from "./relay_url.ts";
import { requestsOverride } from "./requests.ts";

const overrideConfig = z.strictObject({
  url: relayUrlConfig
    .describe("The relay, in any spelling; one that is unknown is no error"),
  enabled: z.boolean().default(true)
    .describe("A relay that is not enabled is left alone"),
  filters: filtersConfig.optional()
    .describe("What is archived of it, instead of the filters of all relays"),
  since: z.int().min(0).optional()
    .describe("Oldest created_at that is archived, in Unix seconds"),
  until: z.int().min(0).nullable().optional()
    .describe(
      "Newest created_at that is archived, in Unix seconds; null for no bound",
    ),
  lookbackSeconds: z.int().min(0).max(31_536_000).optional()
    .describe("The last seconds are looked at again each time"),
  intervalSeconds: z.int().min(1).max(2_592_000).optional()
    .describe("Seconds from the end of one sync to the next"),
  timeoutMs: z.int().min(100).max(300_000).optional()
    .describe("Deadline of connecting, in ms"),
  negentropy: z.boolean().optional()
    .describe("Whether it is compared with by NIP-77"),
  requests: requestsOverride.prefault({}),
});

export type RelayOverride = z.output<typeof overrideConfig>;

export const overridesConfig = z.array(overrideConfig).max(100_000)
  .refine(
    (relays) => new Set(relays.map(({ url }) => url)).size === relays.length,
    { message: "must not contain the same relay twice" },
  );
