/**
 * The relays an event mentions. Extracted once, when the event is archived, and bounded per event:
 * no author gets more than a fixed number of candidates into the archive with one signature.
 *
 * @module
 */
import { decode } from "nostr-tools/nip19";
import type { NostrEvent } from "./event.ts";
import { KIND } from "./kinds.ts";
import type { Network } from "./network.ts";
import {
  parentUrl,
  parseRelayUrl,
  registrableDomain,
  type RelayUrl,
} from "./relay_url.ts";

/** The place in an event at which a relay was mentioned. */
const HINT_SOURCES = [
  /** Kind 2, the content. */
  "recommendation",
  /** Kind 3, the keys of the JSON content. */
  "contacts",
  /** Kind 10002, `r` tags (NIP-65). */
  "relay-list",
  /** Kind 10050, `relay` tags (NIP-17). */
  "message-relays",
  /** Any other list of NIP-51 that holds relays. */
  "list",
  /** Kinds 10166 and 30166 (NIP-66). */
  "monitor",
  /** An `r` tag elsewhere. */
  "r-tag",
  /** A `relay` or `relays` tag elsewhere. */
  "relay-tag",
  /** Position 2 of an `e`, `p`, `a` or `q` tag, or of the uppercase ones of NIP-22. */
  "e-tag",
  "p-tag",
  "a-tag",
  "q-tag",
  /** A `nostr:` reference in the content (NIP-19, NIP-27). */
  "reference",
] as const;

export type HintSource = (typeof HINT_SOURCES)[number];

/** A relay that an event mentions. */
export interface RelayHint {
  /** Normal form; a path that belongs to one user is folded into its parent. */
  readonly url: string;
  readonly network: Network;
  readonly host: string;
  /** The registrable domain, under which candidates are budgeted. */
  readonly domain: string;
  readonly source: HintSource;
  /** The pubkey of the event. */
  readonly author: string;
}

/** The parts of an event that can mention a relay. */
export type MentioningEvent = Pick<
  NostrEvent,
  "pubkey" | "kind" | "tags" | "content"
>;

export interface HintOptions {
  /** As in `parseRelayUrl`. Default: false. */
  readonly allowPrivate?: boolean;
}

/** Hints taken from one event at most. */
const MAX_HINTS = 100;

/** Texts of one event that are tried as URLs at most, so that a flood of malformed ones costs little. */
const MAX_ATTEMPTS = 300;

/** Content longer than this is not searched. */
const MAX_CONTENT_CHARACTERS = 65_536;

/** References of one event that are decoded at most, which costs some 30 µs each. */
const MAX_REFERENCES = 20;

/** The references that can carry relays, at most as long as one with a few of them. */
const REFERENCE = /nostr:((?:nprofile|nevent|naddr)1[a-z0-9]{50,1000})/g;

/** The relays an event mentions, each once per source, at most 100. */
export function extractHints(
  event: MentioningEvent,
  options: HintOptions = {},
): RelayHint[] {
  const hints = new Map<string, RelayHint>();
  let attempts = 0;
  for (const { text, source } of mentions(event)) {
    if (!looksLikeRelay(text)) continue;
    if (++attempts > MAX_ATTEMPTS || hints.size >= MAX_HINTS) break;
    const parsed = parseRelayUrl(text, options);
    if (!parsed.ok) continue;
    const relay = parentUrl(parsed.value) ?? parsed.value;
    const key = `${source} ${relay.url}`;
    if (!hints.has(key)) hints.set(key, toHint(relay, source, event.pubkey));
  }
  return [...hints.values()];
}

interface Mention {
  readonly text: string;
  readonly source: HintSource;
}

function* mentions(event: MentioningEvent): Generator<Mention> {
  yield* contentMentions(event);
  for (const tag of event.tags) yield* tagMentions(event.kind, tag);
}

/** Most texts are no relay URLs; this keeps them away from the parser. */
function looksLikeRelay(text: string): boolean {
  return /^\s{0,9}wss?:\/\//i.test(text);
}

function toHint(
  relay: RelayUrl,
  source: HintSource,
  author: string,
): RelayHint {
  const { url, network, host } = relay;
  return {
    url,
    network,
    host,
    domain: registrableDomain(relay),
    source,
    author,
  };
}

function contentMentions({ kind, content }: MentioningEvent): Mention[] {
  if (content.length > MAX_CONTENT_CHARACTERS) return [];
  if (kind === KIND.recommendRelay) return mention(content, "recommendation");
  if (kind === KIND.contacts) {
    return jsonKeys(content).map((text) => ({ text, source: "contacts" }));
  }
  return content.includes("nostr:n") ? referenceMentions(content) : [];
}

/** The keys of a JSON object; none for any other text. */
function jsonKeys(text: string): string[] {
  if (!text.startsWith("{")) return [];
  try {
    return Object.keys(JSON.parse(text));
  } catch {
    return [];
  }
}

function referenceMentions(content: string): Mention[] {
  return content.matchAll(REFERENCE).take(MAX_REFERENCES)
    .flatMap(([, code = ""]) => referenceRelays(code))
    .map((text): Mention => ({ text, source: "reference" }))
    .toArray();
}

function referenceRelays(code: string): readonly string[] {
  try {
    const { type, data } = decode(code);
    switch (type) {
      case "nprofile":
      case "nevent":
      case "naddr":
        return data.relays ?? [];
      default:
        return [];
    }
  } catch {
    // A mistyped or truncated reference; people write them by hand.
    return [];
  }
}

function tagMentions(kind: number, tag: readonly string[]): Mention[] {
  const [name, first, second] = tag;
  switch (name) {
    case "e":
    case "E":
      return mention(second, "e-tag");
    case "p":
    case "P":
      return mention(second, "p-tag");
    case "a":
    case "A":
      return mention(second, "a-tag");
    case "q":
      return mention(second, "q-tag");
    case "r":
      return mention(first, listSource(kind) ?? "r-tag");
    case "relay":
      return mention(first, listSource(kind) ?? "relay-tag");
    case "relays":
      return tag.slice(1).map((text) => ({ text, source: "relay-tag" }));
    case "d":
      return kind === KIND.relayDiscovery ? mention(first, "monitor") : [];
    case "group":
      return kind === KIND.groups ? mention(second, "list") : [];
    default:
      return [];
  }
}

function mention(text: string | undefined, source: HintSource): Mention[] {
  return text === undefined ? [] : [{ text, source }];
}

/** The source that a kind gives to the relays in its `r` and `relay` tags. */
function listSource(kind: number): HintSource | undefined {
  switch (kind) {
    case KIND.relayList:
      return "relay-list";
    case KIND.messageRelays:
      return "message-relays";
    case KIND.monitorAnnouncement:
    case KIND.relayDiscovery:
      return "monitor";
    case KIND.blockedRelays:
    case KIND.searchRelays:
    case KIND.groups:
    case KIND.favouriteRelays:
    case KIND.keyPackageRelays:
    case KIND.wikiRelays:
    case KIND.relaySet:
      return "list";
    default:
      return undefined;
  }
}
