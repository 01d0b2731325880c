/**
 * Which checks the monitor makes known, and how it announces them.
 *
 * @module
 */
import type { MetadataType } from "../../../models/metadata.ts";
import { NETWORKS } from "../../../models/network.ts";
import type { MonitorCheck } from "../../../nips/nip66/monitor_events.ts";
import { CHECKS } from "../check_relay.ts";
import type { DocumentName } from "../checks/check.ts";
import type { MonitorConfig } from "../config.ts";

/** A document that could not be had is still published from when it could: so many times its interval later at most. */
const INTERVALS_KEPT = 3;

/**
 * The documents that may be published, and how old each may be, seconds. They are kept, because most visits do not make
 * them anew.
 */
export function publishedTypes(
  config: MonitorConfig,
): ReadonlyMap<MetadataType, number> {
  const { checks, schedule } = config;
  return new Map(
    CHECKS.filter(({ name }) => isPublished(name, config))
      .map(({ name, type }) => {
        const { everySeconds } = checks[name];
        const interval = Math.max(everySeconds, schedule.everySeconds);
        return [type, INTERVALS_KEPT * interval];
      }),
  );
}

/** The tests whose results are published, and how long each waits: in the first network that is in use, ms. */
export function announcedTimeouts(
  config: MonitorConfig,
): ReadonlyMap<MonitorCheck, number> {
  const { checks, networks } = config;
  const network = NETWORKS.find((name) => networks[name].enabled);
  const { timeoutMs } = networks[network ?? "clearnet"];
  const rttMs = checks.rtt.timeoutMs ?? timeoutMs;
  const announced = new Map<MonitorCheck, number>([
    ["open", rttMs],
    ["read", rttMs],
    ...(checks.rtt.write ? [["write", rttMs] as const] : []),
  ]);
  for (const { name } of CHECKS) {
    if (!isPublished(name, config)) continue;
    const check = name === "tls" ? "ssl" : name;
    announced.set(check, checks[name].timeoutMs ?? timeoutMs);
  }
  return announced;
}

/** Whether a check can have results: what is looked up in a file is known only where there is one. */
function isPublished(
  name: DocumentName,
  { checks, mmdb }: MonitorConfig,
): boolean {
  const { enabled, store, publish } = checks[name];
  const isPossible = (name !== "geo" || mmdb.cityPath !== undefined) &&
    (name !== "net" || mmdb.asnPath !== undefined);
  return enabled && store && publish && isPossible;
}
