/**
 * Configuration of the synchronizer.
 *
 * @module
 */
import { z } from "zod";
import { budgetsConfig } from "../../core/config/budgets_config.ts";
import { commonConfig } from "../../core/config/common_config.ts";
import { dialConfig } from "../../core/config/networks_config.ts";
import { type Filter, filterHash, parseFilter } from "../../models/filter.ts";

const filterConfig = z.unknown().transform((value, check): Filter => {
  const parsed = parseFilter(value);
  if (!parsed.ok) {
    check.addIssue({ code: "custom", message: parsed.failure.detail });
    return z.NEVER;
  }
  const { since, until, limit, ...filter } = parsed.value;
  if (since !== undefined || until !== undefined || limit !== undefined) {
    const message =
      "must not have since, until or limit: they are keys of the synchronizer";
    check.addIssue({ code: "custom", message });
  }
  return filter;
});

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
      "Seconds until a stretch that the relay cannot be made to prove is asked for again",
    ),
});

const requestsConfig = z.strictObject({
  limit: z.int().min(10).max(5_000).default(500)
    .describe("Events asked for at once; relays may give fewer"),
  idleTimeoutMs: z.int().min(100).max(600_000).default(30_000)
    .describe("Silence in ms after which a request has failed"),
  totalTimeoutMs: z.int().min(1_000).max(3_600_000).default(300_000)
    .describe("Duration in ms after which a request has failed"),
  maxEventBytes: z.int().min(1_024).max(16_777_216).default(2_097_152)
    .describe("Larger events are dropped and counted, in bytes"),
  maxPageBytes: z.int().min(65_536).max(1_073_741_824).default(67_108_864)
    .describe("A request that brings more has failed, in bytes"),
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
});

export const synchronizerConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 60 }),
  ...dialConfig(),
  filters: z.array(filterConfig).min(1).max(100)
    .refine(
      (filters) => new Set(filters.map(filterHash)).size === filters.length,
      {
        message: "must not contain the same filter twice",
      },
    ).prefault([{}])
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
    .describe("Seconds from the end of one sync of a relay to the next"),
  requests: requestsConfig.prefault({}),
  negentropy: negentropyConfig.prefault({}),
  maxNewConnectionsPerMinute: z.int().min(1).max(60_000).default(600)
    .describe("Connections opened in a minute, all relays together"),
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
}).refine(({ retry }) => retry.maxSeconds >= retry.initialSeconds, {
  path: ["retry", "maxSeconds"],
  message: "must be >= retry.initialSeconds",
});

export type SynchronizerConfig = z.output<typeof synchronizerConfig>;
