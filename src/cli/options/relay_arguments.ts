/**
 * Relays as people type them: a URL, or a host alone.
 *
 * @module
 */
import { parseRelayUrl, type RelayUrl } from "../../models/relay_url.ts";
import { UsageError } from "../usage_error.ts";

export const RELAY_ARGUMENT = {
  name: "URL",
  description: "a relay: wss://…, ws://…, or its host alone",
  required: true,
  variadic: true,
} as const;

/** The relays named, each once. Throws {@linkcode UsageError} that says what was to be done with which. */
export function relayArguments(
  texts: readonly string[],
  { verb, allowPrivate }: {
    readonly verb: string;
    readonly allowPrivate: boolean;
  },
): RelayUrl[] {
  const relays = new Map<string, RelayUrl>();
  for (const text of texts) {
    const relay = relayArgument(text, { verb, allowPrivate });
    relays.set(relay.url, relay);
  }
  return [...relays.values()];
}

/** The relay that a word names. Throws {@linkcode UsageError}. */
export function relayArgument(
  text: string,
  { verb, allowPrivate }: {
    readonly verb: string;
    readonly allowPrivate: boolean;
  },
): RelayUrl {
  const url = withScheme(text);
  const parsed = parseRelayUrl(url, { allowPrivate });
  if (parsed.ok) return parsed.value;
  const isPrivate = !allowPrivate &&
    parseRelayUrl(url, { allowPrivate: true }).ok;
  throw new UsageError(
    `Cannot ${verb} ${JSON.stringify(text)}: ${parsed.failure.detail}` +
      (isPrivate ? " (--allow-private permits it)" : ""),
  );
}

/** A name with a dot or a port is a host; a word is more likely a mistake. */
function withScheme(text: string): string {
  return /^[^/:\s]+(?:\.[^/:\s]+|:\d)/.test(text) ? `wss://${text}` : text;
}
