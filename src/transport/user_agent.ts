/**
 * How we introduce ourselves to relays and other servers: which software, and whom to write to about it.
 *
 * @module
 */
import manifest from "../../deno.json" with { type: "json" };

/** The User-Agent header; `contact` (URL or address, plain ASCII) is how an operator reaches us, if not empty. */
export function userAgent(contact: string): string {
  const product = `BigBrotr/${manifest.version}`;
  return contact === "" ? product : `${product} (+${contact})`;
}
