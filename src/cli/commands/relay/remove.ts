/**
 * `bigbrotr relay remove URL…`: relays out of the archive.
 *
 * @module
 */
import { type Removal, removeRelay } from "../../../archive/relay_admin.ts";
import { holderText } from "../../../core/lifecycle/holder.ts";
import type { Command, Invocation } from "../../command.ts";
import {
  RELAY_ARGUMENT,
  relayArguments,
} from "../../options/relay_arguments.ts";
import { counted } from "../../terminal/numbers.ts";

export const relayRemove: Command = {
  name: "relay remove",
  summary: "Remove relays or candidates, and what is known of them",
  description:
    `Deletes the relay with its checks, documents, coverage, gaps and leases. Its events stay. That it held them (its
sightings) is deleted only with --sightings; without, a relay that has some is left alone. One that a service has in hand is
left alone, too. It comes back when a list or an event mentions it: relay opt-out keeps it away for good. On a server with
roles this takes the rights of the admin. Exits 1 when one was not removed.`,
  arguments: [RELAY_ARGUMENT],
  options: [
    {
      name: "sightings",
      description: "also forget which events it was seen to hold",
    },
  ],
  examples: [
    { command: "relay remove wss://relay.exmaple.com", does: "a wrong one" },
    {
      command: "relay remove wss://old.example.com --sightings",
      does: "with all that it was seen to hold",
    },
  ],
  run: remove,
};

async function remove(invocation: Invocation): Promise<number> {
  const { options, stdout, signal } = invocation;
  const relays = relayArguments(invocation.arguments, {
    verb: "remove",
    allowPrivate: true,
  });
  const database = await invocation.openDatabase({ schema: "current" });
  let isDone = true;
  for (const { url } of relays) {
    const removal = await removeRelay(database, url, {
      sightings: options.flag("sightings"),
      signal,
    });
    isDone &&= removal.type === "removed";
    stdout.write(`${url}: ${removalText(removal)}\n`);
  }
  return isDone ? 0 : 1;
}

function removalText(removal: Removal): string {
  switch (removal.type) {
    case "removed":
      return removal.sightings === 0
        ? "removed"
        : `removed with ${counted(removal.sightings, "sighting")}`;
    case "unknown":
      return "neither a relay nor a candidate";
    case "held":
      return `left alone, it is in work (${
        holderText(removal.holder)
      }): try again later, or stop that service`;
    case "has-sightings":
      return "left alone, it was seen to hold events: --sightings forgets which";
  }
}
