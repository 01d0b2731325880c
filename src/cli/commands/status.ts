/**
 * `bigbrotr status`: the pipeline at a glance.
 *
 * @module
 */
import type { Counted } from "../../archive/pipeline.ts";
import { withheldEvents } from "../../archive/sync/relay_listing.ts";
import { NETWORKS } from "../../models/network.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import { showRelay } from "./relay/show.ts";
import { relayArgument } from "../options/relay_arguments.ts";
import { clockText } from "../reports/clock_report.ts";
import {
  auditText,
  countsText,
  percent,
  strengthsText,
} from "../reports/evidence_text.ts";
import { holderText } from "../../core/lifecycle/holder.ts";
import { healthLines } from "../reports/health_report.ts";
import { labelledLines } from "../terminal/labelled_lines.ts";
import { byteSize, counted, duration, grouped } from "../terminal/numbers.ts";
import {
  type PipelineReport,
  pipelineReport,
  type ServiceReport,
} from "../reports/pipeline_report.ts";
import { withheldText } from "../reports/withheld_report.ts";
import { textColumns } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

type Coverage = PipelineReport["coverage"];

export const status: Command = {
  name: "status",
  summary: "Show what stands where in the pipeline",
  description:
    `Counts per stage and network, the last cycle of each service, coverage, how strongly it is proven, and lag. Counts with ~ are the server's
estimates: counting a large table would take minutes. Works beside a running \`up\` or \`db serve\`, and on a server.`,
  options: [
    {
      name: "relay",
      value: "URL",
      description: "the history of one relay instead, and its evidence",
    },
    {
      name: "withheld",
      description: "with --relay: the events that it lists and gives to nobody",
    },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [
    { command: "status", does: "for people" },
    {
      command: "status --relay wss://relay.example.com",
      does: "uptime, outages, documents, coverage and audits of one relay",
    },
    {
      command: "status --relay wss://relay.example.com --withheld --json",
      does: "the ids that it lists (NIP-77) and does not give",
    },
    {
      command: "status --json | jq .coverage.medianLagSeconds",
      does: "for scripts",
    },
  ],
  run: show,
};

async function show(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const url = options.text("relay");
  if (url !== undefined) return await showOne(invocation, url);
  if (options.flag("withheld")) {
    throw new UsageError("--withheld: say of which relay with --relay URL");
  }
  const database = await invocation.openDatabase({ schema: "current" });
  const report = await pipelineReport(database);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify(report, null, 2)}\n`
      : reportText(report, textColumns(stdout)),
  );
  return 0;
}

async function showOne(
  invocation: Invocation,
  text: string,
): Promise<number> {
  const { options, stdout } = invocation;
  const { url } = relayArgument(text, { verb: "show", allowPrivate: true });
  const database = await invocation.openDatabase({ schema: "current" });
  if (!options.flag("withheld")) {
    return await showRelay(invocation, database, url) ? 0 : 1;
  }
  const withheld = await withheldEvents(database, url);
  const at = Math.floor(Date.now() / 1_000);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify({ at, url, withheld }, null, 2)}\n`
      : withheldText(url, withheld),
  );
  return 0;
}

/** Columns of the names on the left. */
const LABEL = 11;

/** The report as tables and lines, for so many columns. */
export function reportText(report: PipelineReport, columns: number): string {
  const size = { label: LABEL, columns };
  return [
    stageTable(report, columns),
    labelledLines(archiveLines(report), size),
    labelledLines(healthLines(report.health), size),
    serviceTable(report, columns) + errorLines(report, columns),
    ...clockText(report),
  ].join("\n");
}

/** One line a network where there is room for it, one column a network where there is not. */
function stageTable(
  { candidates, relays }: PipelineReport,
  columns: number,
): string {
  const head = ["network", "candidates", "due", "failed", "relays", "online"]
    .concat("offline", "unchecked", "synced");
  const rows = NETWORKS.map((network) => {
    const candidate = candidates[network];
    const relay = relays[network];
    const counts = [candidate.total, candidate.due, candidate.failed].concat(
      [relay.total, relay.online, relay.offline, relay.unchecked, relay.synced],
    );
    return [network, ...counts.map(grouped)];
  });
  const wide = table(head, rows);
  if (wide.indexOf("\n") <= columns) return wide;
  const [names = [], ...lines] = head.map((name, column) => [
    name,
    ...rows.map((row) => row[column] ?? ""),
  ]);
  return table(names, lines, columns);
}

function archiveLines(report: PipelineReport): [string, string][] {
  const { coverage } = report;
  const reasons = countsText(coverage.gapReasons);
  return [
    ["events", countText(report.events)],
    ["sightings", countText(report.sightings)],
    ["metadata", countText(report.metadata)],
    ["checks", countText(report.checks)],
    ["rejected", rejectedText(report)],
    [
      "coverage",
      `${counted(coverage.walks, "walk")} on ${
        counted(coverage.relays, "relay")
      }, ${counted(coverage.gaps, "gap")}${
        reasons === "" ? "" : ` (${reasons})`
      }`,
    ],
    ["complete", completeText(coverage)],
    ["proven", strengthsText(coverage.strengths)],
    ["audit", auditText(coverage.audit)],
    ["caught", caughtText(coverage.audit, report.at)],
    ["lag", lagText(coverage)],
    ["published", publishedText(report)],
    ["facts", factsText(report)],
    ["statistics", statisticsText(report)],
    ["size", `${byteSize(report.databaseBytes)} (${report.edition})`],
  ];
}

/** How much of what is wanted is proven, and who works on the rest. */
function completeText(
  { completeRelays, wantedRelays, coveredShare, running, live }: Coverage,
): string {
  const share = coveredShare === null
    ? ""
    : `, ${percent(coveredShare)} of the time wanted`;
  return `${grouped(completeRelays)} of ${
    grouped(wantedRelays)
  } relays${share}; ${grouped(running)} in work, ${grouped(live)} live`;
}

/** Relays that contradicted a proof, how, and what of it is still to be proven again. */
function caughtText(
  { caughtRelays, kinds, last, underAudit }: Coverage["audit"],
  at: number,
): string {
  if (last === null) return "no relay";
  const { url, kind, question } = last;
  const caught = `${counted(caughtRelays, "relay")} (${countsText(kinds)})`;
  const when = `${duration(Math.max(0, at - last.at))} ago`;
  const { windows, relays, seconds } = underAudit;
  const open = windows === 0
    ? "none"
    : `${counted(windows, "window")} of ${counted(relays, "relay")}, ${
      duration(seconds)
    }`;
  return `${caught}, last ${url} ${when}: ${kind}, by ${question}; under audit: ${open}`;
}

/** Samples that are kept, and how many events came that are not archived. */
function rejectedText({ rejected, coverage }: PipelineReport): string {
  const reasons = countsText(coverage.rejectedReasons);
  return countText(rejected) + (reasons === "" ? "" : ` kept of ${reasons}`);
}

/** Each event counts once for each relay that it is meant for. */
function publishedText({ outbox }: PipelineReport): string {
  const { accepted, pending, oldestSeconds, ...others } = outbox;
  const waiting = oldestSeconds === null
    ? ""
    : `${grouped(pending)} waiting for ${duration(oldestSeconds)}, `;
  const ended = countsText({ accepted, ...others });
  return `${waiting}${ended}`;
}

/** What statistics have not taken yet. */
function factsText({ facts }: PipelineReport): string {
  const { rows, bytes, oldestSeconds } = facts;
  return oldestSeconds === null
    ? "none waiting"
    : `${counted(rows, "fact")} waiting, ${byteSize(bytes)}, since ${
      duration(oldestSeconds)
    }`;
}

/** How far statistics are, what they have to make again from the archive, who works on them, and at what cost. */
function statisticsText({ statistics, at }: PipelineReport): string {
  const { foldedAt, oldestSeconds, daysToMake, relaysToMake, derived, lease } =
    statistics;
  const lag = oldestSeconds === null
    ? "up to date"
    : `${duration(oldestSeconds)} behind`;
  const folded = foldedAt === null
    ? "nothing folded yet"
    : `folded ${duration(Math.max(0, at - foldedAt))} ago`;
  const toMake = daysToMake + relaysToMake === 0 ? [] : [
    `${counted(daysToMake, "day")} and ${
      counted(relaysToMake, "relay")
    } to be made`,
  ];
  const unfinished = Object.entries(derived ?? {})
    .flatMap(([name, state]) => state === "unfinished" ? [name] : []);
  if (unfinished.length > 0) {
    toMake.push(`${unfinished.join(" and ")} not made yet of all there is`);
  }
  const worker = lease === null
    ? "no refresher works"
    : `by ${holderText(lease.holder)}, busy ${percent(lease.busyShare)}`;
  return [`${lag}, ${folded}`, ...toMake, worker, ...speedText(statistics)]
    .join("; ");
}

/** Since the archive was made. */
function speedText(
  { events, sightings, busyMs }: PipelineReport["statistics"],
): string[] {
  if (busyMs === 0) return [];
  const rate = (events + sightings) / (busyMs / 1_000);
  return [
    `${grouped(events)} events and ${grouped(sightings)} sightings folded, ${
      grouped(rate)
    }/s`,
  ];
}

/** How far what is proven complete is behind now. */
function lagText({ medianLagSeconds, worstLagSeconds }: Coverage): string {
  if (medianLagSeconds === null || worstLagSeconds === null) {
    return "nothing proven complete yet";
  }
  const behind = (seconds: number) => duration(Math.max(0, seconds));
  return `${behind(medianLagSeconds)} behind now, worst ${
    behind(worstLagSeconds)
  }`;
}

function countText({ count, exact }: Counted): string {
  return `${exact ? "" : "~"}${grouped(count)}`;
}

function serviceTable(
  { services, at }: PipelineReport,
  columns: number,
): string {
  const head = ["service", "state", "up", "cycles", "failures", "last cycle"];
  return table(
    [...head, "took"],
    services.map((service) => serviceRow(service, at)),
    columns,
  );
}

/** Below the table, since a sentence in a column would push others out of it. */
function errorLines({ services }: PipelineReport, columns: number): string {
  const rows = services.flatMap(({ service, runtime }) =>
    runtime?.lastError ? [[service, runtime.lastError] as const] : []
  );
  if (rows.length === 0) return "";
  return "\nlast errors\n" +
    labelledLines(rows, { label: SERVICE_LABEL, columns });
}

/** Columns of the services' names. */
const SERVICE_LABEL = 14;

function serviceRow(
  { service, state, uptimeSeconds, clockSkewSeconds, runtime }: ServiceReport,
  now: number,
): string[] {
  if (runtime === null) return [service, state, "", "", "", "", ""];
  // By its own clock, as what it records.
  const at = now + (clockSkewSeconds ?? 0);
  const { lastCycleAt, lastCycleSeconds, cycleStartedAt } = runtime;
  const last = state === "running" && cycleStartedAt !== null
    ? `under way for ${duration(at - cycleStartedAt)}`
    : lastCycleAt === null
    ? "none yet"
    : `${duration(at - lastCycleAt)} ago`;
  return [
    service,
    state,
    duration(uptimeSeconds ?? 0),
    grouped(runtime.cycles),
    grouped(runtime.failures),
    last,
    lastCycleSeconds === null ? "" : duration(lastCycleSeconds),
  ];
}
