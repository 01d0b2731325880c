/**
 * Events of a monitor about itself: announcement (NIP-66, kind 10166), relay list (NIP-65) and profile (NIP-01).
 *
 * @module
 */
import type { Network } from "../../models/network.ts";
import { nip66Url, type RelayUrl } from "../../models/relay_url.ts";
import type { EventDraft } from "./discovery_event.ts";

/** A test, as `c` and `timeout` tags name it. */
export type MonitorCheck =
  | "open"
  | "read"
  | "write"
  | "nip11"
  | "ssl"
  | "dns"
  | "geo"
  | "net"
  | "http";

/** How a monitor works. */
export interface Announcement {
  /** Unix seconds. */
  readonly createdAt: number;
  /** How often each relay is checked. */
  readonly frequencySeconds: number;
  /** The tests it makes, and how long it waits in each, ms. */
  readonly timeoutsMs: ReadonlyMap<MonitorCheck, number>;
  readonly networks: readonly Network[];
  /** Geohash of its place. */
  readonly geohash?: string;
}

/** A monitor's profile; what is empty is left out. */
export interface MonitorProfile {
  readonly name?: string;
  readonly about?: string;
  readonly picture?: string;
  readonly nip05?: string;
  readonly website?: string;
  readonly banner?: string;
  readonly lud16?: string;
}

/**
 * Kind 10166. Its `timeout` tags are in the order of the NIP's example and of every implementation, test before
 * milliseconds; the NIP's prose has it the other way round (nostr-protocol/nips#2171).
 */
export function announcementEvent(announcement: Announcement): EventDraft {
  const { createdAt, frequencySeconds, timeoutsMs, networks, geohash } =
    announcement;
  const checks = [...timeoutsMs];
  return {
    kind: 10_166,
    created_at: createdAt,
    tags: [
      ["frequency", String(frequencySeconds)],
      ...checks.map(([check, ms]) => ["timeout", check, String(ms)]),
      ...checks.map(([check]) => ["c", check]),
      ...networks.map((network) => ["n", network]),
      ...(geohash === undefined ? [] : [["g", geohash]]),
    ],
    content: "",
  };
}

/** Kind 10002: where the monitor publishes. */
export function relayListEvent(
  relays: readonly RelayUrl[],
  createdAt: number,
): EventDraft {
  return {
    kind: 10_002,
    created_at: createdAt,
    tags: relays.map((relay) => ["r", nip66Url(relay), "write"]),
    content: "",
  };
}

/** Kind 0. */
export function profileEvent(
  profile: MonitorProfile,
  createdAt: number,
): EventDraft {
  const { name, about, picture, nip05, website, banner, lud16 } = profile;
  const fields = { name, about, picture, nip05, website, banner, lud16 };
  const given = Object.entries(fields).filter(([, value]) => value);
  return {
    kind: 0,
    created_at: createdAt,
    tags: [],
    content: JSON.stringify(Object.fromEntries(given)),
  };
}
