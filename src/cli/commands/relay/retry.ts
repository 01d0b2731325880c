/**
 * `bigbrotr relay retry URL…`: now, instead of when it would be due.
 *
 * @module
 */
import { retryRelays } from "../../../archive/relay_admin.ts";
import type { Command, Invocation } from "../../command.ts";
import {
  RELAY_ARGUMENT,
  relayArguments,
} from "../../options/relay_arguments.ts";

export const relayRetry: Command = {
  name: "relay retry",
  summary: "Have relays or candidates tried again now",
  description:
    `A candidate is tried, a relay checked and synced as soon as a service has room for it, as if nothing had failed before;
its gaps are asked for again. Exits 1 when one of them is neither.`,
  arguments: [RELAY_ARGUMENT],
  options: [],
  examples: [
    { command: "relay retry relay.example.com", does: "it is back, we know" },
  ],
  run: retry,
};

async function retry(invocation: Invocation): Promise<number> {
  const relays = relayArguments(invocation.arguments, {
    verb: "retry",
    allowPrivate: true,
  });
  const database = await invocation.openDatabase({ schema: "current" });
  const found = await retryRelays(database, relays.map(({ url }) => url));
  const stages = new Map(found.map(({ url, isRelay }) => [url, isRelay]));
  for (const { url } of relays) {
    const isRelay = stages.get(url);
    const text = isRelay === undefined
      ? "neither a relay nor a candidate (relay add)"
      : isRelay
      ? "due now, for checks and sync"
      : "candidate, due now";
    invocation.stdout.write(`${url}: ${text}\n`);
  }
  return found.length < relays.length ? 1 : 0;
}
