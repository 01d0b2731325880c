/**
 * The publisher: its key, its relays, and which of its events are new.
 *
 * @module
 */
import { getPublicKey } from "nostr-tools/pure";
import { latestInOutbox, type OutboxEvent } from "../../../archive/outbox.ts";
import type { Database } from "../../../core/database/connection/database.ts";
import { metadataId } from "../../../models/metadata.ts";
import { parseRelayUrl, type RelayUrl } from "../../../models/relay_url.ts";
import type { EventDraft } from "../../../nips/nip66/discovery_event.ts";
import { signEvent } from "../../../nips/sign_event.ts";
import type { MonitorConfig } from "../config.ts";

export interface Publisher {
  readonly key: Uint8Array;
  /** Hex. */
  readonly pubkey: string;
  /** Relays that events are published to; with none, only operators get messages. */
  readonly relays: readonly RelayUrl[];
  /** Names this process among all that share the outbox. */
  readonly holder: string;
}

/** An event that may be worth publishing. */
export interface Publishable {
  readonly draft: EventDraft;
  /** Its `d` tag, empty when it has none. */
  readonly d: string;
  /** By how many seconds after the one before it is due even if nothing changed. */
  readonly everySeconds: number;
  /** When the next chance to publish it comes; it is due if it will be by then. */
  readonly nextChanceSeconds: number;
  readonly onChange: boolean;
  /** The part by which the event is compared with the one before. */
  readonly compared: unknown;
}

/** Null without a key. */
export function openPublisher(
  config: MonitorConfig,
  key: Uint8Array | null,
  holder: string,
): Publisher | null {
  if (key === null) return null;
  const { enabled, relays } = config.publish;
  return {
    key,
    pubkey: getPublicKey(key),
    relays: enabled ? usableRelays(relays, config) : [],
    holder,
  };
}

/** The relays of these URLs that this configuration can reach. */
export function usableRelays(
  urls: readonly string[],
  config: MonitorConfig,
): RelayUrl[] {
  return urls.flatMap((url) => {
    const relay = parseRelayUrl(url, config);
    const isUsable = relay.ok && config.networks[relay.value.network].enabled;
    return isUsable ? [relay.value] : [];
  });
}

/** Signs the events that are due or changed, ready for the outbox. */
export async function dueEvents(
  database: Database,
  publisher: Publisher,
  publishables: readonly Publishable[],
): Promise<OutboxEvent[]> {
  const keys = publishables.map(({ draft, d }) => ({ kind: draft.kind, d }));
  const latest = new Map<string, { fingerprint: string; createdAt: number }>();
  for (const last of await latestInOutbox(database, publisher.pubkey, keys)) {
    latest.set(`${last.kind}:${last.d}`, last);
  }
  const due: OutboxEvent[] = [];
  for (const publishable of publishables) {
    const { draft, d } = publishable;
    const fingerprint = metadataId(publishable.compared);
    const last = latest.get(`${draft.kind}:${d}`);
    if (last !== undefined && !isDue(publishable, fingerprint, last)) continue;
    due.push(signed(publisher, publishable, fingerprint));
    // Signing takes a millisecond or two, by which somebody's round-trip time would be too long.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return due;
}

function isDue(
  { draft, everySeconds, nextChanceSeconds, onChange }: Publishable,
  fingerprint: string,
  last: { readonly fingerprint: string; readonly createdAt: number },
): boolean {
  // Readers keep one event a second; the next check comes.
  if (draft.created_at <= last.createdAt) return false;
  if (onChange && last.fingerprint !== fingerprint) return true;
  const nextChanceAt = draft.created_at + nextChanceSeconds;
  return last.createdAt + everySeconds <= nextChanceAt;
}

function signed(
  { key, relays }: Publisher,
  { draft, d, everySeconds }: Publishable,
  fingerprint: string,
): OutboxEvent {
  return {
    event: signEvent(draft, key),
    d,
    createdAt: draft.created_at,
    // By then there is another.
    expiresAt: draft.created_at + everySeconds,
    fingerprint,
    relays: relays.map(({ url }) => url),
  };
}
