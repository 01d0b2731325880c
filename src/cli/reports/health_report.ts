/**
 * What changed among the relays, as lines for people.
 *
 * @module
 */
import type {
  NamedRelays,
  RelayHealth,
  Uptime,
} from "../../archive/relay_health.ts";
import { grouped } from "../terminal/numbers.ts";

/** The lines, each with its name. */
export function healthLines(health: RelayHealth): [string, string][] {
  return [
    ["online", `${named(health.cameOnline)} came within a day`],
    ["offline", `${named(health.wentOffline)} went within a day`],
    ["new", `${named(health.discovered)} within a day`],
    ["uptime", `median ${uptimeText(health.medianUptime)}`],
  ];
}

/** `24 h 99.8 %, 7 d 98.0 %, 30 d unknown`. */
export function uptimeText(uptime: Uptime): string {
  const share = (value: number | null) =>
    value === null ? "unknown" : `${(value * 100).toFixed(1)} %`;
  return `24 h ${share(uptime["24h"])}, 7 d ${share(uptime["7d"])}, 30 d ${
    share(uptime["30d"])
  }`;
}

function named({ count, urls }: NamedRelays): string {
  if (count === 0) return "0";
  const more = count > urls.length ? ", …" : "";
  return `${grouped(count)} (${urls.join(", ")}${more})`;
}
