/**
 * Private direct messages (NIP-17), sealed and wrapped so that only the receiver learns the sender (NIP-59).
 *
 * @module
 */
import { unixNow } from "../base/clock.ts";
import { wrapEvent } from "nostr-tools/nip59";
import type { NostrEvent } from "../models/event.ts";
import {
  parseRelayUrl,
  type RelayUrl,
  type RelayUrlOptions,
} from "../models/relay_url.ts";

const CHAT_MESSAGE_KIND = 14;

/** Relays of a kind 10050 that are used, as the list is meant to be small (NIP-17: 1 to 3). */
const MAX_RELAYS = 5;

/**
 * The gift wrap (kind 1059) of a chat message. Its author and its `created_at`, up to two days ago, are random.
 *
 * @param receiver Public key in hex, on the curve.
 */
export function directMessage(
  text: string,
  { key, receiver, subject }: {
    readonly key: Uint8Array;
    readonly receiver: string;
    readonly subject: string;
  },
): NostrEvent {
  const rumor = {
    kind: CHAT_MESSAGE_KIND,
    created_at: unixNow(),
    tags: [["p", receiver], ["subject", subject]],
    content: text,
  };
  return wrapEvent(rumor, key, receiver);
}

/** Relays to which an author wants messages to be sent, by its kind 10050; what is no relay's URL is left out. */
export function messageRelays(
  { tags }: Pick<NostrEvent, "tags">,
  options: RelayUrlOptions,
): RelayUrl[] {
  return tags.filter(([name]) => name === "relay")
    .slice(0, MAX_RELAYS)
    .flatMap(([, text = ""]) => {
      const relay = parseRelayUrl(text, options);
      return relay.ok ? [relay.value] : [];
    });
}
