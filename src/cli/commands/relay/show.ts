/**
 * `bigbrotr relay show URL…`: all that the archive knows of single relays.
 *
 * @module
 */
import {
  listCandidates,
  type ListedCandidate,
} from "../../../archive/relay_admin.ts";
import { relayReport } from "../../../archive/relay_health.ts";
import type { Database } from "../../../core/database/connection/database.ts";
import type { Command, Invocation } from "../../command.ts";
import {
  RELAY_ARGUMENT,
  relayArguments,
} from "../../options/relay_arguments.ts";
import { relayReportText } from "../../reports/relay_report.ts";
import { labelledLines } from "../../terminal/labelled_lines.ts";
import { moment } from "../../terminal/moments.ts";
import { textColumns } from "../../terminal/output.ts";
import { tame } from "../../terminal/paint.ts";

export const relayShow: Command = {
  name: "relay show",
  summary: "Show all that the archive knows of relays",
  description:
    `Uptime, outages, documents, capabilities, coverage and its evidence of each relay, and what works on it now; of a
candidate, how its trials went. Exits 1 when one of them is neither.`,
  arguments: [RELAY_ARGUMENT],
  options: [{ name: "json", description: "print one JSON object a line" }],
  examples: [
    { command: "relay show relay.example.com", does: "for people" },
    { command: "relay show wss://nos.lol --json", does: "for scripts" },
  ],
  run: show,
};

async function show(invocation: Invocation): Promise<number> {
  const relays = relayArguments(invocation.arguments, {
    verb: "show",
    allowPrivate: true,
  });
  const database = await invocation.openDatabase({ schema: "current" });
  let unknown = 0;
  for (const [index, { url }] of relays.entries()) {
    if (index > 0 && !invocation.options.flag("json")) {
      invocation.stdout.write("\n");
    }
    if (!await showRelay(invocation, database, url)) unknown++;
  }
  return unknown > 0 ? 1 : 0;
}

/** As many of its outages as one reads. */
const OUTAGES = 10;

/** Prints what is known of a relay or candidate; false, and a sentence, when it is neither. */
export async function showRelay(
  { options, stdout, screen }: Invocation,
  database: Database,
  url: string,
): Promise<boolean> {
  const at = Math.floor(Date.now() / 1_000);
  const columns = textColumns(stdout);
  const json = options.flag("json");
  const report = await relayReport(database, url, { outages: OUTAGES });
  if (report !== null) {
    stdout.write(
      json
        ? `${JSON.stringify({ at, ...report })}\n`
        : relayReportText(report, { now: at, columns }),
    );
    return true;
  }
  const [candidate] = await listCandidates(database, [url]);
  if (candidate !== undefined) {
    stdout.write(
      json
        ? `${JSON.stringify({ at, candidate })}\n`
        : candidateText(candidate, columns),
    );
    return true;
  }
  screen.write(`Cannot show ${url}: there is no such relay in this archive\n`);
  return false;
}

function candidateText(
  { url, network, source, discoveredAt, failures, ...candidate }:
    ListedCandidate,
  columns: number,
): string {
  const { lastTriedAt, lastFailure, dueAt } = candidate;
  const trials = lastTriedAt === null
    ? "never tried"
    : `${failures} failed, the last ${moment(lastTriedAt)}: ${
      tame(lastFailure ?? "", 200)
    }`;
  return labelledLines([
    ["candidate", `${url} (${network})`],
    ["known", `since ${moment(discoveredAt)}, from ${source}`],
    ["trials", trials],
    ["next", moment(dueAt)],
  ], { label: 14, columns });
}
