/**
 * The history of one relay, as a page for people.
 *
 * @module
 */
import type {
  Outage,
  RelayReport,
  RelayState,
} from "../../archive/relay_health.ts";
import { uptimeText } from "./health_report.ts";
import { duration, grouped } from "../terminal/numbers.ts";
import { table } from "../terminal/table.ts";

/** Columns of the names on the left. */
const LABEL = 14;

/** The page; `now` in Unix seconds. */
export function relayReportText(report: RelayReport, now: number): string {
  const { state, uptime, outages, documents } = report;
  const ago = (at: number) => `${duration(Math.max(0, now - at))} ago`;
  const lines = [
    ["relay", `${report.url} (${report.network})`],
    ["known", `since ${moment(report.discoveredAt)}`],
    ["state", state === null ? "never checked" : stateText(state, now)],
    ["numbers", numbersText(state)],
    ["uptime", uptime === null ? "unknown" : uptimeText(uptime)],
    ["capabilities", capabilitiesText(report)],
    [
      "documents",
      documents.map(({ type, generatedAt }) => `${type} ${ago(generatedAt)}`)
        .join(", ") || "none",
    ],
    ...coverageLines(report, ago),
  ];
  const text = lines.map(([name = "", text]) =>
    `${name.padEnd(LABEL)}${text}\n`
  )
    .join("");
  return outages.length === 0
    ? `${text}no outage\n`
    : `${text}\n${outageTable(outages)}`;
}

function stateText(state: RelayState, now: number): string {
  const { online, since, streak, lastCheckedAt, lastOnlineAt } = state;
  const seen = online
    ? ""
    : lastOnlineAt === null
    ? ", never online"
    : `, last online ${moment(lastOnlineAt)}`;
  return `${online ? "online" : "offline"} since ${moment(since)} (${
    grouped(streak)
  } checks in a row${seen}); last checked ${
    duration(Math.max(0, now - lastCheckedAt))
  } ago`;
}

function numbersText(state: RelayState | null): string {
  if (state === null) return "";
  const ms = (name: string, value: number | null) =>
    `${name} ${value === null ? "–" : `${grouped(value)} ms`}`;
  const failure = state.failure === null ? "" : `; ${state.failure}`;
  return [
    ms("open", state.openMs),
    ms("read", state.readMs),
    ms("write", state.writeMs),
  ].join(", ") + failure;
}

/** `auth no (nip11), read yes (read)`. */
function capabilitiesText({ capabilities }: RelayReport): string {
  return capabilities.map(({ capability, value, judgedBy }) =>
    `${capability} ${value ? "yes" : "no"} (${judgedBy})`
  ).join(", ") || "unknown";
}

function coverageLines(
  { coverage }: RelayReport,
  ago: (at: number) => string,
): string[][] {
  if (coverage.length === 0) return [["coverage", "none"]];
  return coverage.map(({ filter, until, stretches, gaps }) => [
    "coverage",
    `${JSON.stringify(filter)}: ${
      until === null ? "nothing proven" : `proven up to ${ago(until)}`
    }, ${grouped(stretches)} stretches, ${grouped(gaps)} gaps`,
  ]);
}

function outageTable(outages: readonly Outage[]): string {
  return table(
    ["offline from", "to", "for", "checks", "cause"],
    outages.map(({ since, until, seconds, checks, cause }) => [
      moment(since),
      until === null ? "now" : moment(until),
      duration(seconds),
      grouped(checks),
      (cause ?? "").slice(0, 60),
    ]),
  );
}

function moment(at: number): string {
  return new Date(at * 1_000).toISOString().replace(".000Z", "Z");
}
