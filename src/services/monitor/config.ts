/**
 * Configuration of the monitor.
 *
 * @module
 */
import { z } from "zod";
import { commonConfig } from "../../core/config/common_config.ts";
import { dialConfig } from "../../core/config/networks_config.ts";
import { NETWORKS } from "../../models/network.ts";
import {
  alertsConfig,
  checkPublication,
  publishConfig,
} from "./publish/config.ts";
import { checksConfig, mmdbConfig } from "./checks_config.ts";

/**
 * The checks of one relay are at most so many steps of a network's `timeoutMs`, some of them made again; and one round
 * waits in hand.
 */
const STEPS_PER_LEASE = 32;

/**
 * The longest wait between two checks, whatever is configured or asked for. What a check found counts for 26 hours at most
 * (SQL: relay_check_max_gap): with a day between two, uptime leaves no time out.
 */
export const MAX_WAIT_SECONDS = 86_400;

const wait = z.int().min(1).max(MAX_WAIT_SECONDS);

const scheduleConfig = z.strictObject({
  everySeconds: wait.default(3_600)
    .describe("Seconds between two checks of a relay that is online"),
  retrySeconds: wait.default(600)
    .describe(
      "Seconds until a relay found offline is checked again; doubled with each further failure",
    ),
  maxRetrySeconds: wait.default(86_400)
    .describe("The longest wait between two checks, in seconds"),
  jitter: z.number().min(0).max(0.5).default(0.1)
    .describe(
      "Random share of each wait, 0 to 0.5, so that relays checked together do not stay together",
    ),
}).refine(
  ({ retrySeconds, maxRetrySeconds }) => maxRetrySeconds >= retrySeconds,
  { path: ["maxRetrySeconds"], message: "must be >= schedule.retrySeconds" },
);

const keysConfig = z.strictObject({
  secretKeyEnv: z.string().min(1).optional()
    .describe(
      "Environment variable with the key (hex or nsec) that signs test events",
    ),
  secretKeyFile: z.string().min(1).optional()
    .describe("File with that key"),
});

const days = z.int().min(1).max(100_000).nullable();

const retentionConfig = z.strictObject({
  checkDays: days.default(31)
    .describe(
      "Days that single checks are kept, more than 30 for exact figures over 30 days; what they say stays; null for ever",
    ),
  hourDays: days.default(92)
    .describe(
      "Days that checks are kept summed up by hour; by day they stay; null for ever",
    ),
  metadataDays: days.default(365)
    .describe("Days that superseded documents are kept; null for ever"),
  rejectedDays: days.default(30)
    .describe("Days that rejected events are kept; null for ever"),
});

export const monitorConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 60 }),
  // A silent relay holds its slot until the deadline: there have to be slots for those that answer, too.
  ...dialConfig({ maxConnections: 200 }),
  schedule: scheduleConfig.prefault({}),
  checks: checksConfig.prefault({}),
  mmdb: mmdbConfig.prefault({}),
  keys: keysConfig.prefault({}),
  retention: retentionConfig.prefault({}),
  publish: publishConfig.prefault({}),
  alerts: alertsConfig.prefault({}),
  maxNewConnectionsPerMinute: z.int().min(1).max(60_000).default(2_400)
    .describe("Connections opened per minute at most, a sixth of them at once"),
  leaseSeconds: z.int().min(1).max(86_400).default(1_800)
    .describe(
      "For how long relays are leased before they are checked; after a crash they are free again this late",
    ),
}).superRefine((config, check) => {
  checkPublication(config, (path, message) => {
    check.addIssue({ code: "custom", path, message });
  });
  const { leaseSeconds, networks } = config;
  for (const network of NETWORKS) {
    const { enabled, timeoutMs } = networks[network];
    const least = Math.ceil(timeoutMs * STEPS_PER_LEASE / 1_000);
    if (!enabled || leaseSeconds >= least) continue;
    check.addIssue({
      code: "custom",
      path: ["leaseSeconds"],
      message:
        `must be >= ${least}, ${STEPS_PER_LEASE} times networks.${network}.timeoutMs (${timeoutMs}), or a lease could end before its checks`,
    });
  }
});

export type MonitorConfig = z.output<typeof monitorConfig>;
