/**
 * Configuration of the synchronizer.
 *
 * @module
 */
import { z } from "zod";
import { budgetsConfig } from "../../../core/config/budgets_config.ts";
import { commonConfig } from "../../../core/config/common_config.ts";
import { dialConfig } from "../../../core/config/networks_config.ts";
import { filtersConfig } from "./filters.ts";
import { overridesConfig } from "./overrides.ts";
import { requestsConfig } from "./requests.ts";
import { tiersConfig } from "./tiers.ts";

const keysConfig = z.strictObject({
  secretKeyEnv: z.string().min(1).optional()
    .describe(
      "Environment variable with the key (hex or nsec) that answers NIP-42 challenges",
    ),
  secretKeyFile: z.string().min(1).optional()
    .describe("File with that key"),
});

const retryConfig = z.strictObject({
  initialSeconds: z.int().min(1).max(86_400).default(300)
    .describe(
      "Seconds until a relay that could not be reached is tried again; doubled with each further failure",
    ),
  maxSeconds: z.int().min(1).max(2_592_000).default(86_400)
    .describe("The longest wait between two tries, in seconds"),
  gapSeconds: z.int().min(0).max(31_536_000).default(604_800)
    .describe(
      "Seconds until a window that the relay cannot be made to prove is asked for again",
    ),
});

const negentropyConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe(
      "Compare with relays by NIP-77 where they know it, so that what is archived is never sent again",
    ),
  probeTimeoutMs: z.int().min(100).max(600_000).default(10_000)
    .describe("Silence in ms by which a relay shows that it does not know it"),
  retestSeconds: z.int().min(60).max(31_536_000).default(604_800)
    .describe(
      "Seconds until a relay that did not know it, and events that a relay lists and does not give, are asked again",
    ),
  repairSeconds: z.int().min(0).max(31_536_000).default(604_800)
    .describe(
      "What is proven is compared once more within so many seconds, in up to 100 slices, as events are published late and back-dated; 0 for never",
    ),
});

const liveConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe(
      "Stay connected to relays that are caught up and archive what they get at once; not with until or more than 8 filters",
    ),
  maxConnections: z.int().min(1).max(10_000).default(50)
    .describe(
      "Relays that are live at once: those that bring most, one at an address",
    ),
  proveEverySeconds: z.int().min(1).max(3_600).default(10)
    .describe(
      "Seconds between two signs of life, after each of which what came before is proven",
    ),
  settlingSeconds: z.int().min(0).max(3_600).default(60)
    .describe(
      "What was created less than so many seconds ago may still be on its way to the relay, and is not proven yet",
    ),
  recheckSeconds: z.int().min(1).max(604_800).default(3_600)
    .describe(
      "Seconds after which a live relay is synced again, for what came late in the meantime",
    ),
});

const auditConfig = z.strictObject({
  requestsPerSync: z.number().min(0).max(100).default(1)
    .describe(
      "Questions about proven time in each sync of a relay, on average: how soon a relay is found out that leaves events out; what was proven newly is asked about in any case",
    ),
});

const sourceConfig = z.strictObject({
  requireOnline: z.boolean().default(false)
    .describe(
      "Only relays that the monitor's last check found online; those of the tiers are always synced",
    ),
  maxCheckAgeSeconds: z.int().min(60).max(31_536_000).nullable().default(null)
    .describe(
      "Only relays that the monitor has checked so lately, in seconds; null for all",
    ),
});

export const synchronizerConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 60 }),
  ...dialConfig(),
  filters: filtersConfig.prefault([{}])
    .describe(
      "What is archived: NIP-01 filters without since, until and limit; each is walked by itself",
    ),
  since: z.int().min(0).default(0)
    .describe("Oldest created_at that is archived, in Unix seconds"),
  until: z.int().min(0).nullable().default(null)
    .describe(
      "Newest created_at that is archived, in Unix seconds; null for no bound",
    ),
  lookbackSeconds: z.int().min(0).max(31_536_000).default(86_400)
    .describe(
      "The last seconds are looked at again each time, as events arrive late and back-dated",
    ),
  relayIntervalSeconds: z.int().min(1).max(2_592_000).default(900)
    .describe(
      "Seconds from the end of the first sync of a relay to the next; then it is ranked, if it is in no tier",
    ),
  minRelayIntervalSeconds: z.int().min(1).max(2_592_000).default(300)
    .describe("The same for a relay that has something new each time"),
  maxRelayIntervalSeconds: z.int().min(1).max(2_592_000).default(3_600)
    .describe("The same for a relay that never has anything new"),
  source: sourceConfig.prefault({}),
  tiers: tiersConfig.prefault({}),
  relays: overridesConfig.default([])
    .describe("What is different for single relays"),
  requests: requestsConfig.prefault({}),
  negentropy: negentropyConfig.prefault({}),
  audit: auditConfig.prefault({}),
  live: liveConfig.prefault({}),
  maxNewConnectionsPerMinute: z.int().min(1).max(60_000).default(3_000)
    .describe(
      "Connections opened in a minute, all relays together, evenly spread",
    ),
  batchSize: z.int().min(100).max(10_000).default(1_000)
    .describe("Events stored in one transaction"),
  batchBytes: z.int().min(65_536).max(67_108_864).default(4_194_304)
    .describe("A batch is stored when it has reached this size, in bytes"),
  maxBatches: z.int().min(1).max(1_000).default(16)
    .describe(
      "Batches on their way to the database at once, of all relays together",
    ),
  workers: z.int().min(0).max(64).default(0)
    .describe("Threads at most; 0 for one per processor"),
  hangTimeoutMs: z.int().min(1_000).max(600_000).default(30_000)
    .describe("Silence in ms after which a thread is replaced"),
  leaseSeconds: z.int().min(3).max(86_400).default(300)
    .describe(
      "For how long relays are leased; renewed while they are in work, so that those of a killed process are free again this late",
    ),
  retry: retryConfig.prefault({}),
  budgets: budgetsConfig.prefault({}),
  keys: keysConfig.prefault({}),
}).refine(({ since, until }) => until === null || until >= since, {
  path: ["until"],
  message: "must be >= since",
}).refine(
  ({ relayIntervalSeconds, minRelayIntervalSeconds }) =>
    relayIntervalSeconds >= minRelayIntervalSeconds,
  {
    path: ["relayIntervalSeconds"],
    message: "must be >= minRelayIntervalSeconds",
  },
).refine(
  ({ relayIntervalSeconds, maxRelayIntervalSeconds }) =>
    relayIntervalSeconds <= maxRelayIntervalSeconds,
  {
    path: ["relayIntervalSeconds"],
    message: "must be <= maxRelayIntervalSeconds",
  },
).superRefine((config, check) => {
  for (const [place, relay] of config.relays.entries()) {
    const { since = config.since, until = config.until } = relay;
    if (until === null || until >= since) continue;
    const path = ["relays", place, "until"];
    check.addIssue({ code: "custom", path, message: "must be >= since" });
  }
}).refine(({ retry }) => retry.maxSeconds >= retry.initialSeconds, {
  path: ["retry", "maxSeconds"],
  message: "must be >= retry.initialSeconds",
});

export type SynchronizerConfig = z.output<typeof synchronizerConfig>;
