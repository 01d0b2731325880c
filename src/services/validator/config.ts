/**
 * Configuration of the validator.
 *
 * @module
 */
import { z } from "zod";
import { commonConfig } from "../../core/config/common_config.ts";
import { dialConfig } from "../../core/config/networks_config.ts";
import { NETWORKS } from "../../models/network.ts";

/** A trial is at most two URLs, each with two steps (connecting, an answer), and another trial may have to end first. */
const STEPS_PER_CLAIM = 8;

const retryConfig = z.strictObject({
  initialSeconds: z.int().min(1).max(86_400).default(60)
    .describe(
      "Seconds until a candidate that failed once is tried again; doubled with each further failure",
    ),
  maxSeconds: z.int().min(1).max(2_592_000).default(604_800)
    .describe("The longest wait between two tries, in seconds"),
});

export const validatorConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 60 }),
  ...dialConfig(),
  maxNewConnectionsPerMinute: z.int().min(1).max(60_000).default(1_200)
    .describe("Connections opened per minute at most, a sixth of them at once"),
  claimSeconds: z.int().min(5).max(86_400).default(900)
    .describe(
      "For how long candidates are claimed before they are dialled; after a crash they are free again this late",
    ),
  retry: retryConfig.prefault({}),
  maxFailures: z.int().min(1).max(10_000).default(24)
    .describe("Failed tries after which a candidate is dropped"),
}).superRefine(({ claimSeconds, networks }, check) => {
  for (const network of NETWORKS) {
    const { enabled, timeoutMs } = networks[network];
    const least = Math.ceil(timeoutMs * STEPS_PER_CLAIM / 1_000);
    if (!enabled || claimSeconds >= least) continue;
    check.addIssue({
      code: "custom",
      path: ["claimSeconds"],
      message:
        `must be >= ${least}, ${STEPS_PER_CLAIM} times networks.${network}.timeoutMs (${timeoutMs}), or a claim could end before its trial`,
    });
  }
}).refine(({ retry }) => retry.maxSeconds >= retry.initialSeconds, {
  path: ["retry", "maxSeconds"],
  message: "must be >= retry.initialSeconds",
});

export type ValidatorConfig = z.output<typeof validatorConfig>;
