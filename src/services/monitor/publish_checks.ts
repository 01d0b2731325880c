/**
 * Which checks the monitor makes known, and how it announces them.
 *
 * @module
 */
import type { MetadataType } from "../../models/metadata.ts";
import { NETWORKS } from "../../models/network.ts";
import type { MonitorCheck } from "../../nips/nip66/monitor_events.ts";
import type { MonitorConfig } from "./config.ts";

/** The documents that may be published. */
export function publishedTypes(
  { checks }: MonitorConfig,
): readonly MetadataType[] {
  return checks.nip11.enabled ? ["nip11_info"] : [];
}

/** The tests that are made, and how long each waits: as long as in the first network that is in use, ms. */
export function announcedTimeouts(
  config: MonitorConfig,
): ReadonlyMap<MonitorCheck, number> {
  const network = NETWORKS.find((name) => config.networks[name].enabled);
  const { timeoutMs } = config.networks[network ?? "clearnet"];
  const tests: MonitorCheck[] = [
    "open",
    "read",
    ...(config.checks.rtt.write ? ["write" as const] : []),
    ...(config.checks.nip11.enabled ? ["nip11" as const] : []),
  ];
  return new Map(tests.map((test) => [test, timeoutMs]));
}
