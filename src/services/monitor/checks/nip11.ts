/**
 * The information document (NIP-11).
 *
 * @module
 */
import { fetchNip11 } from "../../../nips/nip11.ts";
import type { Check } from "./check.ts";

export const nip11: Check = {
  name: "nip11",
  type: "nip11_info",
  applies: () => true,
  run: ({ relay, dialer, config }, limits) => {
    const { maxBytes } = config.checks.nip11;
    return fetchNip11(dialer, relay, { ...limits, maxBytes });
  },
};
