/**
 * `bigbrotr relay list`: the relays of the archive, or its candidates.
 *
 * @module
 */
import {
  listCandidates,
  type ListedCandidate,
  type ListedRelay,
  listRelays,
} from "../../../archive/relay_admin.ts";
import { NETWORKS } from "../../../models/network.ts";
import type { Command, Invocation } from "../../command.ts";
import { duration, grouped } from "../../terminal/numbers.ts";
import { textColumns } from "../../terminal/output.ts";
import { tame } from "../../terminal/paint.ts";
import { table } from "../../terminal/table.ts";
import { UsageError } from "../../usage_error.ts";

const STATES = ["online", "offline", "unchecked"] as const;

export const relayList: Command = {
  name: "relay list",
  summary: "List the relays of the archive, or its candidates",
  description:
    `One line a relay: whether the last check found it online and since when, how far it is proven complete and in how many
gaps not, and what the synchronizer does with it. With --candidates: URLs that have not answered yet, and why not.`,
  options: [
    {
      name: "state",
      value: "STATE",
      description: "only these, by their last check",
      choices: STATES,
    },
    {
      name: "network",
      value: "NETWORK",
      description: "only these",
      choices: NETWORKS,
    },
    { name: "candidates", description: "candidates instead of relays" },
    { name: "json", description: "print one JSON object a line" },
  ],
  examples: [
    { command: "relay list", does: "all relays" },
    { command: "relay list --state offline", does: "those that are down" },
    { command: "relay list --json | jq -r .url", does: "for scripts" },
  ],
  run: list,
};

async function list(invocation: Invocation): Promise<number> {
  const { options } = invocation;
  const state = STATES.find((one) => one === options.text("state"));
  const network = NETWORKS.find((one) => one === options.text("network"));
  const isCandidates = options.flag("candidates");
  if (isCandidates && state !== undefined) {
    throw new UsageError(
      "--state is of relays: no check was made of candidates",
    );
  }
  const database = await invocation.openDatabase({ schema: "current" });
  if (isCandidates) {
    const candidates = (await listCandidates(database))
      .filter((one) => network === undefined || one.network === network);
    print(invocation, candidates, candidateTable);
  } else {
    const wish = { state, ...(network && { networks: [network] }) };
    print(invocation, await listRelays(database, wish), relayTable);
  }
  return 0;
}

function print<T>(
  { options, stdout }: Invocation,
  rows: readonly T[],
  tableOf: (rows: readonly T[], columns: number) => string,
): void {
  if (options.flag("json")) {
    stdout.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  } else stdout.write(tableOf(rows, textColumns(stdout)));
}

/** Columns for a URL: a longer one would push everything else out of a narrow terminal. */
function urlColumns(columns: number): number {
  return Math.max(20, Math.min(44, columns - 28), columns - 60);
}

function relayTable(relays: readonly ListedRelay[], columns: number): string {
  return table(
    ["relay", "state", "for", "proven", "gaps", "sync", "network", "failure"],
    relays.map((relay) => [
      tame(relay.url, urlColumns(columns)),
      relay.state,
      ago(relay.since),
      ago(relay.provenUntil),
      grouped(relay.gaps),
      syncText(relay),
      relay.network,
      tame(relay.failure ?? "", 60),
    ]),
    columns,
  );
}

/** What the synchronizer does with it, in a word or two. */
function syncText(
  { holder, liveSince, dueAt, syncFailures }: ListedRelay,
): string {
  if (holder !== null) return liveSince === null ? "in work" : "live";
  if (dueAt === null) return "not begun";
  const wait = dueAt - Date.now() / 1_000;
  const due = wait <= 0 ? "due" : `in ${duration(wait)}`;
  return syncFailures === 0 ? due : `${due}, ${syncFailures} failed`;
}

function candidateTable(
  candidates: readonly ListedCandidate[],
  columns: number,
): string {
  return table(
    ["candidate", "failures", "tried", "source", "network", "last failure"],
    candidates.map((candidate) => [
      tame(candidate.url, urlColumns(columns)),
      grouped(candidate.failures),
      ago(candidate.lastTriedAt),
      candidate.source,
      candidate.network,
      tame(candidate.lastFailure ?? "", 60),
    ]),
    columns,
  );
}

/** How long ago; nothing for never. */
function ago(at: number | null): string {
  return at === null ? "" : duration(Math.max(0, Date.now() / 1_000 - at));
}
