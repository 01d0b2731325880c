/**
 * `bigbrotr status`: the pipeline at a glance.
 *
 * @module
 */
import type { Counted } from "../../archive/pipeline.ts";
import { relayReport } from "../../archive/relay_health.ts";
import { NETWORKS } from "../../models/network.ts";
import { parseRelayUrl } from "../../models/relay_url.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import { clockText } from "../reports/clock_report.ts";
import { healthText } from "../reports/health_report.ts";
import { byteSize, duration, grouped } from "../terminal/numbers.ts";
import {
  type PipelineReport,
  pipelineReport,
  type ServiceReport,
} from "../reports/pipeline_report.ts";
import { relayReportText } from "../reports/relay_report.ts";
import { table } from "../terminal/table.ts";

type Coverage = PipelineReport["coverage"];

export const status: Command = {
  name: "status",
  summary: "Show what stands where in the pipeline",
  description:
    `Counts per stage and network, the last cycle of each service, coverage and lag. Counts with ~ are the server's
estimates: counting a large table would take minutes. Works beside a running \`up\` or \`db serve\`, and on a server.`,
  options: [
    {
      name: "relay",
      value: "URL",
      description: "the history of one relay instead",
    },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [
    { command: "status", does: "for people" },
    {
      command: "status --relay wss://relay.example.com",
      does: "uptime, outages, documents and coverage of one relay",
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
  if (url !== undefined) return await showRelay(invocation, url);
  const database = await invocation.openDatabase({ schema: "current" });
  const report = await pipelineReport(database);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify(report, null, 2)}\n`
      : reportText(report),
  );
  return 0;
}

/** As many of its outages as one reads. */
const OUTAGES = 10;

async function showRelay(
  invocation: Invocation,
  text: string,
): Promise<number> {
  const { options, stdout } = invocation;
  const parsed = parseRelayUrl(text, { allowPrivate: true });
  if (!parsed.ok) {
    throw new UsageError(`--relay ${text}: ${parsed.failure.detail}`);
  }
  const { url } = parsed.value;
  const database = await invocation.openDatabase({ schema: "current" });
  const report = await relayReport(database, url, { outages: OUTAGES });
  if (report === null) {
    throw new Error(
      `Cannot show ${url}: there is no such relay in this archive`,
    );
  }
  const now = Math.floor(Date.now() / 1_000);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify({ at: now, ...report }, null, 2)}\n`
      : relayReportText(report, now),
  );
  return 0;
}

/** The report as tables. */
export function reportText(report: PipelineReport): string {
  return [
    stageTable(report),
    archiveLines(report),
    healthText(report.health),
    serviceTable(report),
    ...clockText(report),
  ].join("\n");
}

function stageTable({ candidates, relays }: PipelineReport): string {
  const head = ["network", "candidates", "due", "failed", "relays", "online"];
  return table(
    [...head, "offline", "unchecked", "synced"],
    NETWORKS.map((network) => {
      const candidate = candidates[network];
      const relay = relays[network];
      return [
        network,
        ...[
          candidate.total,
          candidate.due,
          candidate.failed,
          relay.total,
          relay.online,
          relay.offline,
          relay.unchecked,
          relay.synced,
        ].map(grouped),
      ];
    }),
  );
}

function archiveLines(report: PipelineReport): string {
  const { coverage } = report;
  const reasons = reasonsText(coverage.gapReasons);
  const lines = [
    ["events", counted(report.events)],
    ["sightings", counted(report.sightings)],
    ["metadata", counted(report.metadata)],
    ["checks", counted(report.checks)],
    ["rejected", rejectedText(report)],
    [
      "coverage",
      `${grouped(coverage.walks)} walks on ${
        grouped(coverage.relays)
      } relays, ${grouped(coverage.gaps)} gaps${
        reasons === "" ? "" : ` (${reasons})`
      }`,
    ],
    ["complete", completeText(coverage)],
    ["lag", lagText(coverage)],
    ["published", publishedText(report)],
    ["size", `${byteSize(report.databaseBytes)} (${report.edition})`],
  ];
  return lines.map(([name = "", text]) => `${name.padEnd(11)}${text}\n`).join(
    "",
  );
}

/** How much of what is wanted is proven, and who works on the rest. */
function completeText(
  { completeRelays, wantedRelays, coveredShare, running, live }: Coverage,
): string {
  const share = coveredShare === null
    ? ""
    : `, ${(coveredShare * 100).toFixed(1)} % of the time wanted`;
  return `${grouped(completeRelays)} of ${
    grouped(wantedRelays)
  } relays${share}; ${grouped(running)} in work, ${grouped(live)} live`;
}

/** Samples that are kept, and how many events came that are not archived. */
function rejectedText({ rejected, coverage }: PipelineReport): string {
  const reasons = reasonsText(coverage.rejectedReasons);
  return counted(rejected) + (reasons === "" ? "" : ` kept of ${reasons}`);
}

/** Each event counts once for each relay that it is meant for. */
function publishedText({ outbox }: PipelineReport): string {
  const { accepted, pending, oldestSeconds, ...others } = outbox;
  const waiting = oldestSeconds === null
    ? ""
    : `${grouped(pending)} waiting for ${duration(oldestSeconds)}, `;
  const ended = reasonsText({ accepted, ...others });
  return `${waiting}${ended}`;
}

function reasonsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([reason, count]) => `${reason} ${grouped(count)}`).join(", ");
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

function counted({ count, exact }: Counted): string {
  return `${exact ? "" : "~"}${grouped(count)}`;
}

function serviceTable({ services, at }: PipelineReport): string {
  const head = ["service", "state", "up", "cycles", "failures", "last cycle"];
  return table(
    [...head, "took", "last error"],
    services.map((service) => serviceRow(service, at)),
  );
}

function serviceRow(
  { service, state, uptimeSeconds, clockSkewSeconds, runtime }: ServiceReport,
  now: number,
): string[] {
  if (runtime === null) return [service, state, "", "", "", "", "", ""];
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
    (runtime.lastError ?? "").slice(0, 60),
  ];
}
