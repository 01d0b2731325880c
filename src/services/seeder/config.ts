/**
 * Configuration of the seeder.
 *
 * @module
 */
import { z } from "zod";
import { commonConfig } from "../../core/config/common_config.ts";

/** Destination of a seed: tried by the validator first, or taken as a relay at once. */
export const SEED_TARGETS = ["candidate", "relay"] as const;

export const seederConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 0 }),
  intervalSeconds: z.number().min(0).max(604_800).default(0)
    .describe(
      "0 reads the seeds once and ends; otherwise they are read again at this interval, so that additions are noticed",
    ),
  filePath: z.string().min(1).optional()
    .describe(
      "File with one relay URL a line (# begins a comment), - for stdin; the list that comes with the program by default",
    ),
  seedAs: z.enum(SEED_TARGETS).default("candidate")
    .describe(
      "candidate: the validator tries each seed first; relay: seeds are monitored and archived at once",
    ),
  batchSize: z.int().min(1).max(10_000).default(1_000)
    .describe("Seeds stored in one statement"),
  allowPrivate: z.boolean().default(false)
    .describe("Accept private and loopback addresses as seeds"),
}).refine(
  ({ filePath, intervalSeconds }) => filePath !== "-" || intervalSeconds === 0,
  {
    path: ["intervalSeconds"],
    message: "must be 0 when filePath is -, as stdin can be read only once",
  },
);

export type SeederConfig = z.output<typeof seederConfig>;
