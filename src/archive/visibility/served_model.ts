/**
 * What may be served, said naively: a function of all events of an archive, the moment, who asks, and our URL.
 *
 * Written from the texts of NIP-01, 09, 40, 59, 62 and 70, and not from the SQL that it is held against, by tests and by
 * `db verify --deep`. Each event is compared with each other one: it is for few events.
 *
 * @module
 */
import type { NostrEvent } from "../../models/event.ts";
import type { ServedView } from "./served_view.ts";

/** A view at a moment, Unix seconds. */
export type ServedAt = ServedView & { readonly now: number };

/** The ids of the events that may be served. */
export function servedIds(
  archived: readonly NostrEvent[],
  view: ServedAt,
): Set<string> {
  const served = archived.filter((event) => isServed(event, archived, view));
  return new Set(served.map(({ id }) => id));
}

function isServed(
  event: NostrEvent,
  archived: readonly NostrEvent[],
  view: ServedAt,
): boolean {
  return event.kind !== 22_242 &&
    !event.tags.some(([name]) => name === "-") &&
    !valuesOf(event, "expiration").some((value) =>
      /^\d{1,15}$/.test(value) && Number(value) <= view.now
    ) &&
    (!PRIVATE_KINDS.includes(event.kind) || isParty(event, view.viewers)) &&
    !archived.some((request) => deletes(request, event)) &&
    !archived.some((request) => vanishes(request, event, view.ownUrl)) &&
    (view.allVersions || !archived.some((other) => supersedes(other, event)));
}

const PRIVATE_KINDS = [4, 13, 14, 15, 1059, 1060, 10059, 21059];

function isParty(event: NostrEvent, viewers: readonly string[]): boolean {
  return viewers.some((viewer) =>
    viewer === event.pubkey || valuesOf(event, "p").includes(viewer)
  );
}

function deletes(request: NostrEvent, event: NostrEvent): boolean {
  if (request.kind !== 5 || event.kind === 5 || event.kind === 62) return false;
  const isOwn = request.pubkey === event.pubkey;
  const isRecipient = event.kind === 1059 &&
    valuesOf(event, "p").includes(request.pubkey);
  if (
    (isOwn || isRecipient) && valuesOf(request, "e").includes(event.id)
  ) return true;
  const address = addressOf(event);
  if (!isOwn || address === null || event.created_at > request.created_at) {
    return false;
  }
  return valuesOf(request, "a").some((value) =>
    value === address ||
    // Of replaceable kinds there is nothing behind the key, whatever is written there.
    (address.endsWith(":") && !isAddressable(event.kind) &&
      `${value}:`.startsWith(address))
  );
}

function vanishes(
  request: NostrEvent,
  event: NostrEvent,
  ownUrl: string | null,
): boolean {
  return request.kind === 62 && event.kind !== 62 &&
    request.pubkey === event.pubkey && event.created_at <= request.created_at &&
    valuesOf(request, "relay").some((value) =>
      value === "ALL_RELAYS" ||
      (ownUrl !== null && value.toLowerCase().replace(/\/+$/, "") === ownUrl)
    );
}

function supersedes(other: NostrEvent, event: NostrEvent): boolean {
  const address = addressOf(event);
  if (address === null || addressOf(other) !== address) return false;
  return other.created_at > event.created_at ||
    (other.created_at === event.created_at && other.id < event.id);
}

/** What all versions of an event have in common; null when there are no versions. */
function addressOf({ kind, pubkey, tags }: NostrEvent): string | null {
  if (kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)) {
    return `${kind}:${pubkey}:`;
  }
  if (!isAddressable(kind)) return null;
  const identifier = tags.find(([name]) => name === "d")?.[1] ?? "";
  return `${kind}:${pubkey}:${identifier}`;
}

function isAddressable(kind: number): boolean {
  return kind >= 30_000 && kind < 40_000;
}

function valuesOf({ tags }: NostrEvent, name: string): string[] {
  return tags.filter((tag) => tag[0] === name && tag.length > 1)
    .map(([, value]) => value!);
}
