/**
 * Configuration of what the monitor publishes, and of whom it tells when a relay goes down.
 *
 * @module
 */
import { z } from "zod";
import { parsePublicKey } from "../../../models/public_key.ts";
import { parseRelayUrl } from "../../../models/relay_url.ts";
import { CHECK_NAMES, type DocumentName } from "../checks/check.ts";

const MAX_RELAYS = 100;

const every = (seconds: number) =>
  z.int().min(60).max(604_800).default(seconds);

const relayUrls = z.array(z.string().max(2_048)).max(MAX_RELAYS).default([]);

const text = z.string().max(1_000).default("");

const retryConfig = z.strictObject({
  initialSeconds: z.int().min(1).max(86_400).default(30)
    .describe(
      "Seconds until a relay that could not be used, or that asked for a pause, is tried again; doubled each time",
    ),
  maxSeconds: z.int().min(1).max(86_400).default(3_600)
    .describe("The longest wait between two attempts, in seconds"),
  maxAttempts: z.int().min(1).max(1_000).default(20)
    .describe("After as many attempts an event is given up for that relay"),
}).refine(
  ({ initialSeconds, maxSeconds }) => maxSeconds >= initialSeconds,
  { path: ["maxSeconds"], message: "must be >= publish.retry.initialSeconds" },
);

const discoveryConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe("Publish what the checks showed of each relay (kind 30166)"),
  everySeconds: every(14_400)
    .describe(
      "Seconds after which it is published again though nothing changed: the frequency that the monitor announces",
    ),
  onChange: z.boolean().default(true)
    .describe(
      "Publish at once what changed; round-trip times alone are no change",
    ),
});

const announcementConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe("Publish how this monitor works (kind 10166)"),
  everySeconds: every(86_400).describe("Seconds until it is published again"),
  geohash: z.string().regex(/^[0-9b-hjkmnp-z]{1,12}$/, "must be a geohash")
    .optional().describe("Where this monitor stands"),
});

const profileConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe("Publish the profile (kind 0), if any of it is given"),
  everySeconds: every(86_400).describe("Seconds until it is published again"),
  name: text.describe("Name of this monitor"),
  about: text.describe("What it is"),
  picture: text.describe("URL of a picture"),
  banner: text.describe("URL of a wide picture"),
  website: text.describe("URL of a page about it"),
  nip05: text.describe("Internet identifier (NIP-05): name@domain"),
  lud16: text.describe("Lightning address"),
});

const relayListConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe("Publish where this monitor publishes (kind 10002)"),
  everySeconds: every(86_400).describe("Seconds until it is published again"),
});

/** Nothing is published without a key (`keys`) and without relays to publish to. */
export const publishConfig = z.strictObject({
  enabled: z.boolean().default(true)
    .describe(
      "Publish to `publish.relays`, if there are any and there is a key",
    ),
  relays: relayUrls.describe(
    "URLs of the relays to publish to; monitors that share a key and an archive share what is sent, and need the same list",
  ),
  sendSeconds: z.int().min(1).max(3_600).default(5)
    .describe("Seconds between two looks at what has to be sent"),
  maxTargets: z.int().min(1).max(MAX_RELAYS).default(10)
    .describe("Relays that are sent to at the same time"),
  retentionDays: z.int().min(1).max(3_650).default(7)
    .describe("Days that the outcome of what was published is kept"),
  retry: retryConfig.prefault({}),
  discovery: discoveryConfig.prefault({}),
  announcement: announcementConfig.prefault({}),
  profile: profileConfig.prefault({}),
  relayList: relayListConfig.prefault({}),
});

/** Private messages (NIP-17) to operators about relays they care for. */
export const alertsConfig = z.strictObject({
  watch: relayUrls.describe("URLs of the relays that are watched"),
  operators: z.array(z.string().max(100)).max(20).default([])
    .describe("Public keys (npub or hex) of those who are told"),
  relays: relayUrls.describe(
    "Where to send to operators whose own choice (kind 10050) is not archived; without any: publish.relays",
  ),
  afterFailures: z.int().min(1).max(1_000).default(3)
    .describe("Failed checks in a row after which a relay counts as down"),
  afterMinutes: z.int().min(1).max(100_000).default(30)
    .describe(
      "Minutes after the first failed check at which it counts as down even so",
    ),
  expireHours: z.int().min(1).max(720).default(24)
    .describe("Hours after which a message that could not be sent is given up"),
});

/** The other keys that these depend on. */
interface Surroundings {
  readonly publish: z.output<typeof publishConfig>;
  readonly alerts: z.output<typeof alertsConfig>;
  readonly keys: {
    readonly secretKeyEnv?: string | undefined;
    readonly secretKeyFile?: string | undefined;
  };
  readonly allowPrivate: boolean;
  readonly schedule: { readonly everySeconds: number };
  readonly checks: Readonly<Record<DocumentName, Switches>>;
}

/** The switches of one check. */
interface Switches {
  readonly enabled: boolean;
  readonly store: boolean;
  readonly publish: boolean;
}

/** Adds an issue for each value that does not fit the others. */
export function checkPublication(
  config: Surroundings,
  add: (path: string[], message: string) => void,
): void {
  const { publish, alerts, keys } = config;
  const lists = [
    { path: ["publish", "relays"], urls: publish.relays },
    { path: ["alerts", "watch"], urls: alerts.watch },
    { path: ["alerts", "relays"], urls: alerts.relays },
  ];
  for (const { path, urls } of lists) {
    for (const url of urls) {
      const relay = parseRelayUrl(url, config);
      if (!relay.ok) add(path, `${relay.failure.detail}: ${url}`);
    }
  }
  for (const operator of alerts.operators) {
    const key = parsePublicKey(operator);
    if (!key.ok) add(["alerts", "operators"], key.failure.detail);
  }
  checkDiscovery(config, add);
  const hasKey = keys.secretKeyEnv !== undefined ||
    keys.secretKeyFile !== undefined;
  if (alerts.operators.length > 0 && !hasKey) {
    add(
      ["alerts", "operators"],
      "needs a key to send with: keys.secretKeyEnv or keys.secretKeyFile",
    );
  }
}

function checkDiscovery(
  { publish, schedule, checks }: Surroundings,
  add: (path: string[], message: string) => void,
): void {
  const { enabled, everySeconds } = publish.discovery;
  if (!publish.enabled || !enabled || publish.relays.length === 0) return;
  if (everySeconds < schedule.everySeconds) {
    add(
      ["publish", "discovery", "everySeconds"],
      `must be >= schedule.everySeconds (${schedule.everySeconds}): it cannot be published more often than it is checked`,
    );
  }
  for (const name of CHECK_NAMES) {
    // Most visits do not make a document anew: without one that is kept, its tags would come and go.
    if (name === "rtt" || checks[name].store) continue;
    if (!checks[name].enabled || !checks[name].publish) continue;
    add(
      ["checks", name, "publish"],
      `must be false where checks.${name}.store is: what is not kept cannot be published`,
    );
  }
}
