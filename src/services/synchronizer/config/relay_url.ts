/**
 * A relay in the configuration: its URL, in whatever spelling the operator has it.
 *
 * @module
 */
import { z } from "zod";
import { parseRelayUrl } from "../../../models/relay_url.ts";

/** Gives the normal form, by which relays are known. Whether it may be dialled is `allowPrivate`'s to say. */
export const relayUrlConfig = z.string().max(2_048).transform((text, check) => {
  const relay = parseRelayUrl(text, { allowPrivate: true });
  if (relay.ok) return relay.value.url;
  const message = `must be a relay URL: ${relay.failure.detail}`;
  check.addIssue({ code: "custom", message });
  return z.NEVER;
});
