/**
 * `bigbrotr relay add URL…`: relays to be archived.
 *
 * @module
 */
import { insertCandidates } from "../../../archive/candidates.ts";
import { listCandidates, listRelays } from "../../../archive/relay_admin.ts";
import { insertRelays } from "../../../archive/relays.ts";
import { registrableDomain } from "../../../models/relay_url.ts";
import { SEED_TARGETS } from "../../../services/seeder/config.ts";
import type { Command, Invocation } from "../../command.ts";
import {
  RELAY_ARGUMENT,
  relayArguments,
} from "../../options/relay_arguments.ts";

export const relayAdd: Command = {
  name: "relay add",
  summary: "Add relays to the archive",
  description:
    `Each becomes a candidate, which the validator tries and makes a relay of when it answers; with --as relay it is one at
once, monitored and archived. No budget bounds them. A list in a file is for the seeder.`,
  arguments: [RELAY_ARGUMENT],
  options: [
    {
      name: "as",
      value: "STAGE",
      description: "what they become: candidate (default) or relay",
      choices: SEED_TARGETS,
    },
    {
      name: "allow-private",
      description: "relays on private and loopback addresses, too",
    },
  ],
  examples: [
    { command: "relay add relay.example.com", does: "to be tried" },
    { command: "relay add wss://nos.lol --as relay", does: "without a trial" },
  ],
  run: add,
};

/** The operator chose them. */
const NO_BUDGETS = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };

async function add(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const relays = relayArguments(invocation.arguments, {
    verb: "add",
    allowPrivate: options.flag("allow-private"),
  });
  const rows = relays.map((relay) => ({
    ...relay,
    domain: registrableDomain(relay),
    source: "operator",
  }));
  const urls = relays.map(({ url }) => url);
  const database = await invocation.openDatabase();
  const isNew = new Set(urls);
  for (const { url } of await listRelays(database, { urls })) isNew.delete(url);
  if (options.text("as") === "relay") {
    await insertRelays(database, rows);
  } else {
    for (const { url } of await listCandidates(database, urls)) {
      isNew.delete(url);
    }
    await insertCandidates(database, rows, NO_BUDGETS);
  }
  const stage = options.text("as") ?? "candidate";
  for (const url of urls) {
    stdout.write(`${url}: ${isNew.has(url) ? `new ${stage}` : "was known"}\n`);
  }
  return 0;
}
