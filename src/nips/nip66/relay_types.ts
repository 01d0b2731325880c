/**
 * Types of a relay, in the words of nostr-protocol/nips#1282 (the `T` tag of NIP-66).
 *
 * @module
 */
import type { CheckDocument } from "../check_document.ts";
import type { Capabilities, Capability } from "./capabilities.ts";

/** Types that follow from an optional protocol the relay says it speaks. */
const BY_NIP: Readonly<Record<number, string>> = {
  29: "Community",
  50: "Search",
  95: "Blob",
};

/** Types that tests showed or the relay declares by a NIP. Without a read and a write test, access is not guessed. */
export function relayTypes(
  rtt: CheckDocument,
  nip11: CheckDocument | undefined,
  { auth, writes, payment }: Capabilities,
): string[] {
  const nips = nip11?.data["supported_nips"];
  const claimed = (Array.isArray(nips) ? nips : [])
    .flatMap((nip) => BY_NIP[Number(nip)] ?? []);
  const access = accessType(rtt, { auth, writes, payment });
  return access === null ? claimed : [...claimed, access];
}

/** An inbox takes notes from everybody, an outbox and a storage from some; private ones make readers authenticate. */
function accessType(
  { logs }: CheckDocument,
  { auth, writes, payment }: Pick<Capabilities, "auth" | "writes" | "payment">,
): string | null {
  const isPrivate = auth.value === true && auth.by === "read";
  if (logs["read_success"] !== true && !isPrivate) return null;
  const demands = [auth, writes, payment].filter(isShown);
  if (demands.length === 0) return null;
  const isLimited = demands.some(({ value, by }) => value && by === "write");
  if (isPrivate) return isLimited ? "PrivateStorage" : "PrivateInbox";
  return isLimited ? "PublicOutbox" : "PublicInbox";
}

/** By trying to write. */
function isShown({ by }: Capability): boolean {
  return by === "write";
}
