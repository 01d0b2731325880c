/**
 * Configuration of the finder.
 *
 * @module
 */
import { compile } from "jmespath";
import { z } from "zod";
import { budgetsConfig } from "../../core/config/budgets_config.ts";
import { commonConfig } from "../../core/config/common_config.ts";
import { dialConfig, routesConfig } from "../../core/config/networks_config.ts";

/** A bad expression is a mistake in the configuration, so it is found when that is loaded. */
const jmesPath = z.string().min(1).max(1_000).superRefine((text, check) => {
  try {
    compile(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    check.addIssue({
      code: "custom",
      message: `must be a JMESPath expression: ${reason}`,
    });
  }
});

const sourceConfig = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2_048)
    .describe("Address of a JSON document that lists relays"),
  expression: jmesPath.default("[*]")
    .describe("JMESPath expression that gives the list of relay URLs"),
  enabled: z.boolean().default(true)
    .describe("A disabled source is not asked, but keeps its checkpoint"),
  cooldownSeconds: z.int().min(1).max(2_592_000).default(86_400)
    .describe("Seconds after a success until the source is asked again"),
  timeoutMs: z.int().min(100).max(300_000).default(30_000)
    .describe("Deadline of the whole answer in ms"),
  maxBytes: z.int().min(1_024).max(52_428_800).default(5_242_880)
    .describe("A larger answer is refused, in bytes"),
});

export type ApiSource = z.output<typeof sourceConfig>;

/** nostr.watch calls its v1 API legacy: should it go away, that is counted and nothing else suffers. */
const DEFAULT_SOURCES: z.input<typeof sourceConfig>[] = [
  { url: "https://api.nostr.watch/v1/online" },
  { url: "https://api.nostr.watch/v1/offline" },
  {
    url:
      "https://cdn.jsdelivr.net/gh/CodyTseng/awesome-nostr-relays@master/dist/relays.json",
    expression: "relays[*]",
  },
];

const apiConfig = z.strictObject({
  enabled: z.boolean().default(true).describe("Ask the sources for relays"),
  sources: z.array(sourceConfig).max(100).prefault(DEFAULT_SOURCES)
    .describe("Where lists of relays are published"),
  requestDelayMs: z.int().min(0).max(60_000).default(1_000)
    .describe("Pause between two sources in ms"),
  retrySeconds: z.int().min(1).max(604_800).default(600)
    .describe(
      "Seconds after a failure until the source is asked again; doubled with each further failure, up to its cooldown",
    ),
}).refine(
  ({ sources }) =>
    new Set(sources.map(({ url }) => url)).size === sources.length,
  { path: ["sources"], message: "must not name the same url twice" },
);

const archiveConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe("Search archived events for relays they mention"),
  pageSize: z.int().min(10).max(20_000).default(2_000)
    .describe(
      "Events read at a time; candidates and position are stored after each page",
    ),
  maxSecondsPerCycle: z.number().min(1).max(86_400).default(300)
    .describe("The search goes on in the next cycle after this many seconds"),
  settleSeconds: z.int().min(0).max(86_400).default(120)
    .describe(
      "Events archived less than this many seconds ago are searched again, as a slow transaction may still add some",
    ),
});

export const finderConfig = z.strictObject({
  ...commonConfig({ intervalSeconds: 300 }),
  ...dialConfig(),
  // Sources are asked one after the other, each with a deadline of its own.
  networks: routesConfig.prefault({}),
  api: apiConfig.prefault({}),
  archive: archiveConfig.prefault({}),
  budgets: budgetsConfig.prefault({}),
});

export type FinderConfig = z.output<typeof finderConfig>;
