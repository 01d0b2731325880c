/**
 * Relay discovery event of NIP-66, kind 30166: what a monitor publishes about one relay.
 *
 * @module
 */
import type { UnsignedEvent } from "../../models/event.ts";
import { canonicalJson, type MetadataType } from "../../models/metadata.ts";
import { nip66Url, type RelayUrl } from "../../models/relay_url.ts";
import type { CheckDocument } from "../check_document.ts";
import { discoveryTags } from "./discovery_tags.ts";

/** An event without its author, who is the owner of the key that signs it. */
export type EventDraft = Omit<UnsignedEvent, "pubkey">;

/** Results about a relay from one visit. */
export interface DiscoveryReport {
  readonly relay: RelayUrl;
  /** Unix seconds. */
  readonly checkedAt: number;
  readonly rtt: CheckDocument;
  /** Documents of the other checks, as far as they were made. */
  readonly documents: ReadonlyMap<MetadataType, CheckDocument>;
}

const DISCOVERY_KIND = 30_166;

/** Longer documents are left out: relays refuse events with them. */
const MAX_CONTENT = 16 * 1024;

/**
 * The event about a relay, or null when it was not found online: readers take the age of the event for the time since
 * the relay was last seen. Only what the checks showed is in it, and what the relay's NIP-11 document claims.
 */
export function discoveryEvent(report: DiscoveryReport): EventDraft | null {
  const { relay, checkedAt, rtt, documents } = report;
  if (rtt.failure !== null || rtt.logs["open_success"] !== true) return null;
  return {
    kind: DISCOVERY_KIND,
    created_at: checkedAt,
    tags: [
      ["d", nip66Url(relay)],
      ["n", relay.network],
      ...discoveryTags(rtt, documents),
    ],
    content: contentOf(documents.get("nip11_info")),
  };
}

/** The relay's own document: what was read, and what could not be read as it should be, put together again. */
function contentOf(nip11: CheckDocument | undefined): string {
  if (nip11 === undefined || Object.keys(nip11.data).length === 0) return "";
  const { extra, ...read } = nip11.data;
  const rest = typeof extra === "object" ? extra : {};
  const text = canonicalJson({ ...read, ...rest });
  return text.length > MAX_CONTENT ? "" : text;
}
