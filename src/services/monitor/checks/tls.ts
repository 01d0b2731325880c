/**
 * The certificate. Behind a proxy it is none of ours to judge: there the name itself is the peer's key.
 *
 * @module
 */
import { examineTls } from "../../../nips/nip66/tls.ts";
import type { Check } from "./check.ts";

export const tls: Check = {
  name: "tls",
  type: "nip66_ssl",
  applies: ({ relay }) =>
    relay.scheme === "wss" && relay.network === "clearnet",
  run: ({ relay, dialer }, limits) => examineTls(dialer, relay, limits),
};
