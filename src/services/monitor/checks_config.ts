/**
 * Configuration of the checks, one section each.
 *
 * @module
 */
import { z } from "zod";
import { parseDnsServer } from "../../transport/dns_client.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;

const retryKeys = {
  timeoutMs: z.int().min(100).max(300_000).nullable().default(null)
    .describe("Deadline of each of its steps in ms; null: the network's"),
  retryDelayMs: z.int().min(0).max(60_000).default(1_000)
    .describe(
      "Wait before it is made again in ms; doubled each time, up to half of it random",
    ),
};

function retries(count: number) {
  return z.int().min(0).max(10).default(count)
    .describe("How often it is made again at once when it failed for a while");
}

function documentKeys(
  defaults: { readonly everySeconds: number; readonly retries: number },
) {
  return {
    enabled: z.boolean().default(true).describe("Make this check"),
    store: z.boolean().default(true).describe("Keep its documents"),
    publish: z.boolean().default(true)
      .describe("Publish what they say (NIP-66); needs `store`"),
    everySeconds: z.int().min(1).max(31_536_000).default(defaults.everySeconds)
      .describe(
        "Seconds between two documents of a relay, rounded to its visits (schedule.everySeconds)",
      ),
    ...retryKeys,
    retries: retries(defaults.retries),
  };
}

const dnsServer = z.string().refine(
  (text) => parseDnsServer(text) !== null,
  "must be an IP address, with a port if not 53: 192.0.2.1 or [::1]:5353",
);

export const checksConfig = z.strictObject({
  rtt: z.strictObject({
    write: z.boolean().default(true)
      .describe("Test writing, too, when there is a secret key"),
    ...retryKeys,
    retries: retries(0),
  }).prefault({}),
  nip11: z.strictObject({
    ...documentKeys({ everySeconds: HOUR, retries: 1 }),
    maxBytes: z.int().min(1_024).max(10_485_760).default(1_048_576)
      .describe("A larger document is refused, in bytes"),
  }).prefault({}),
  tls: z.strictObject(documentKeys({ everySeconds: DAY, retries: 1 }))
    .prefault({}),
  dns: z.strictObject({
    ...documentKeys({ everySeconds: DAY, retries: 1 }),
    servers: z.array(dnsServer).max(3).default([])
      .describe("Resolvers to ask, as 192.0.2.1:53; none: the system's"),
  }).prefault({}),
  geo: z.strictObject({
    ...documentKeys({ everySeconds: 7 * DAY, retries: 1 }),
    geohashPrecision: z.int().min(1).max(12).default(9)
      .describe("Characters of the geohash; 5 is about 5 km, 9 about 5 m"),
  }).prefault({}),
  net: z.strictObject(documentKeys({ everySeconds: 7 * DAY, retries: 1 }))
    .prefault({}),
  http: z.strictObject(documentKeys({ everySeconds: DAY, retries: 0 }))
    .prefault({}),
});

export type ChecksConfig = z.output<typeof checksConfig>;

/** The MMDB files that geo and net look things up in. */
export const mmdbConfig = z.strictObject({
  cityPath: z.string().min(1).optional()
    .describe("MMDB file of places (GeoLite2-City, DB-IP), for geo"),
  cityUrl: z.url({ protocol: /^https?$/ }).optional()
    .describe("Where that file is fetched from; .gz is unpacked"),
  asnPath: z.string().min(1).optional()
    .describe("MMDB file of networks (GeoLite2-ASN), for net"),
  asnUrl: z.url({ protocol: /^https?$/ }).optional()
    .describe("Where that file is fetched from; .gz is unpacked"),
  refreshDays: z.number().min(0.001).max(3_650).default(7)
    .describe("A file fetched longer ago is fetched anew, in days"),
  maxAgeDays: z.int().min(1).max(36_500).nullable().default(180)
    .describe("A file built longer ago is not believed, in days; null: ever"),
  maxBytes: z.int().min(1_024).max(2_147_483_647).default(268_435_456)
    .describe("A larger file is not fetched, in bytes, unpacked"),
  timeoutMs: z.int().min(1_000).max(3_600_000).default(600_000)
    .describe("Deadline of fetching one file in ms"),
}).superRefine((files, check) => {
  for (const what of ["city", "asn"] as const) {
    if (files[`${what}Url`] === undefined) continue;
    if (files[`${what}Path`] !== undefined) continue;
    check.addIssue({
      code: "custom",
      path: [`${what}Path`],
      message: `must say where the file of ${what}Url is kept`,
    });
  }
});

export type MmdbConfig = z.output<typeof mmdbConfig>;
