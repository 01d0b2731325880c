/**
 * The network, by an ASN database. Without the database nothing is learnt about the relay, so there is no document.
 *
 * @module
 */
import { examineNet } from "../../../nips/nip66/net.ts";
import type { Check } from "./check.ts";

export const net: Check = {
  name: "net",
  type: "nip66_net",
  applies: ({ relay, dialer, databases }) =>
    dialer.isDirect(relay) && databases.asn().ok,
  run: ({ relay, dialer, databases }, limits) =>
    examineNet(dialer, relay, { ...limits, database: databases.asn() }),
};
