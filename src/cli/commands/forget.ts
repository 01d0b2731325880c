/**
 * `bigbrotr forget PUBKEY|ID…`: deletes authors and events for good.
 *
 * @module
 */
import {
  countForgettable,
  finishForgetting,
  forget,
  type ForgetCounts,
  type Forgettable,
  whatIsArchived,
} from "../../archive/visibility/forget.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { parseEntity } from "../../models/entity.ts";
import type { Command, Invocation } from "../command.ts";
import { confirm } from "../terminal/confirm.ts";
import { counted } from "../terminal/numbers.ts";
import { UsageError } from "../usage_error.ts";

export const forgetCommand: Command = {
  name: "forget",
  summary: "Delete authors or events for good, and refuse them ever after",
  description:
    `Deletes all events of an author, or single events, with their sightings, from the archive and its statistics, and refuses
them from then on: services, sync and import take them for known. Only their ids stay, to refuse them by. What others wrote
about them stays. It cannot be undone. An interrupted one is finished by the next forget or db cleanup. On a server with
roles this takes the rights of the admin or the writer.`,
  arguments: [{
    name: "PUBKEY|ID",
    description:
      "npub1…, nprofile1… or the hex of an author; note1…, nevent1… or the hex of an event",
    required: true,
    variadic: true,
  }],
  options: [
    {
      name: "as",
      value: "TYPE",
      description:
        "what hex means that the archive knows neither as author nor as event",
      choices: ["author", "event"],
    },
    { name: "dry-run", description: "only say what would be deleted" },
    { name: "yes", short: "y", description: "do not ask" },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [
    {
      command: "forget npub1… --dry-run",
      does: "how much there is of somebody",
    },
    { command: "forget note1… --yes", does: "one event, without asking" },
  ],
  run: forgetAll,
};

async function forgetAll(invocation: Invocation): Promise<number> {
  const { options, stdout, signal } = invocation;
  const named = invocation.arguments.map(parseTarget);
  const database = await invocation.openDatabase({ schema: "current" });
  const targets: Forgettable[] = [];
  for (const target of named) {
    targets.push(await resolve(database, target, options.text("as")));
  }
  const found = await counts(database, targets);
  const isDry = options.flag("dry-run");
  const wording = `${targetsText(targets)}: ${countsText(found)}`;
  if (!isDry && !options.flag("yes")) {
    const question = `Delete for good ${wording}?`;
    if (!await confirm(question, signal)) return 1;
  }
  const deleted = isDry ? null : await forget(database, targets, signal);
  if (!isDry) await finishForgetting(database, signal);
  if (options.flag("json")) {
    stdout.write(`${JSON.stringify({ targets, found, deleted })}\n`);
  } else {
    stdout.write(
      deleted === null
        ? `Would delete ${wording}\n`
        : `Deleted ${targetsText(targets)}: ${countsText(deleted)}\n`,
    );
  }
  return 0;
}

/** What was typed; hex may be either. */
type Target = Forgettable | { readonly type: "hex"; readonly key: string };

/** Throws {@linkcode UsageError}. */
function parseTarget(text: string): Target {
  if (/^[0-9a-f]{64}$/i.test(text)) {
    return { type: "hex", key: text.toLowerCase() };
  }
  const entity = parseEntity(text);
  if (entity?.type === "author") return { type: "author", key: entity.pubkey };
  if (entity?.type === "event") return { type: "event", key: entity.id };
  // Not quoted: it may be a secret key in the wrong place.
  throw new UsageError(
    "Cannot forget one of these: an author is npub1…, nprofile1… or 64 hex characters, an event note1…, nevent1… or 64 hex characters",
  );
}

async function resolve(
  database: Database,
  target: Target,
  as: string | undefined,
): Promise<Forgettable> {
  if (target.type !== "hex") return target;
  const { key } = target;
  const type = await whatIsArchived(database, key) ?? as;
  if (type === "author" || type === "event") return { type, key };
  throw new UsageError(
    `Cannot tell whether ${key} is an author or an event, as neither is archived: --as author or --as event says so`,
  );
}

async function counts(
  database: Database,
  targets: readonly Forgettable[],
): Promise<ForgetCounts> {
  let events = 0;
  let sightings = 0;
  for (const target of targets) {
    const found = await countForgettable(database, target);
    events += found.events;
    sightings += found.sightings;
  }
  return { events, sightings };
}

function targetsText(targets: readonly Forgettable[]): string {
  const [first] = targets;
  if (first !== undefined && targets.length === 1) {
    return `${first.type} ${first.key}`;
  }
  const authors = targets.filter(({ type }) => type === "author").length;
  return `${counted(authors, "author")} and ${
    counted(targets.length - authors, "single event")
  }`;
}

function countsText({ events, sightings }: ForgetCounts): string {
  return `${counted(events, "event")}, ${counted(sightings, "sighting")}`;
}
