/**
 * The information document (NIP-11).
 *
 * @module
 */
import { z } from "zod";
import type { CheckDocument } from "../../../nips/check_document.ts";
import { fetchNip11 } from "../../../nips/nip11.ts";
import type { Check } from "./check.ts";

export const nip11: Check = {
  type: "nip11_info",
  applies: ({ config }) => config.checks.nip11.enabled,
  run: ({ relay, dialer, config, signal }) =>
    fetchNip11(dialer, relay, {
      signal,
      timeoutMs: config.networks[relay.network].timeoutMs,
      maxBytes: config.checks.nip11.maxBytes,
    }),
};

const limitation = z.object({
  limitation: z.object({ min_pow_difficulty: z.int().min(0).max(256) }),
});

/** The proof of work a relay says it wants, bits; 0 when it says nothing. */
export function wantedPow(document: CheckDocument | undefined): number {
  const parsed = limitation.safeParse(document?.data);
  return parsed.success ? parsed.data.limitation.min_pow_difficulty : 0;
}
