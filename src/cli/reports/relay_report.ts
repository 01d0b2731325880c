/**
 * The history of one relay, as a page for people.
 *
 * @module
 */
import type {
  KeptContradiction,
  Outage,
  RelayReport,
  RelayState,
  WalkReport,
} from "../../archive/relay_health.ts";
import { holderText } from "../../core/lifecycle/holder.ts";
import { statesText } from "../../services/synchronizer/walk_progress.ts";
import {
  auditText,
  countsText,
  strengthsText,
  tookBack,
} from "./evidence_text.ts";
import { uptimeText } from "./health_report.ts";
import { labelledLines } from "../terminal/labelled_lines.ts";
import { day, minute, moment, span } from "../terminal/moments.ts";
import { counted, duration, grouped } from "../terminal/numbers.ts";
import { table } from "../terminal/table.ts";

type Line = [name: string, text: string];

/** Columns of the names on the left. */
const LABEL = 14;

/** The page; `now` in Unix seconds. */
export function relayReportText(
  report: RelayReport,
  { now, columns }: { readonly now: number; readonly columns: number },
): string {
  const { state, uptime, outages, documents } = report;
  const ago = (at: number) => `${duration(Math.max(0, now - at))} ago`;
  const lines: Line[] = [
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
    ["sync", syncText(report, now)],
    ...coverageLines(report, ago),
    ...report.contradictions.map(caughtLine),
  ];
  const text = labelledLines(lines, { label: LABEL, columns });
  return outages.length === 0
    ? `${text}no outage\n`
    : `${text}\n${outageTable(outages, columns)}`;
}

function stateText(state: RelayState, now: number): string {
  const { online, since, streak, lastCheckedAt, lastOnlineAt } = state;
  const seen = online
    ? ""
    : lastOnlineAt === null
    ? ", never online"
    : `, last online ${moment(lastOnlineAt)}`;
  return `${online ? "online" : "offline"} since ${moment(since)} (${
    counted(streak, "check")
  } in a row${seen}); last checked ${
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

/** Where the synchronizer is with it. */
function syncText({ sync }: RelayReport, now: number): string {
  if (sync === null) return "never taken up";
  const { holder, liveSince, dueAt, failures } = sync;
  const failed = failures === 0 ? "" : `, failed ${grouped(failures)} times`;
  if (holder === null) {
    return `${
      dueAt > now ? `due in ${duration(dueAt - now)}` : "due now"
    }${failed}`;
  }
  const work = liveSince === null
    ? "in work"
    : `live for ${duration(Math.max(0, now - liveSince))}`;
  return `${work}, by ${holderText(holder)}${failed}${progressText(sync, now)}`;
}

/** `: paging ×4, down to 2024-03-01`. */
function progressText(
  { liveSince, progress }: NonNullable<RelayReport["sync"]>,
  now: number,
): string {
  const states = statesText(progress?.doing ?? []);
  if (liveSince !== null || states === "") return "";
  const until = progress?.until ?? null;
  const reached = until === null || until >= now
    ? ""
    : `, down to ${day(until)}`;
  return `: ${states}${reached}`;
}

function coverageLines(
  { url, coverage }: RelayReport,
  ago: (at: number) => string,
): Line[] {
  if (coverage.length === 0) return [["coverage", "none"]];
  return coverage.flatMap((walk): Line[] => {
    const { filter, until, windows, gaps, gapReasons } = walk;
    const proven = until === null
      ? "nothing proven"
      : `proven up to ${ago(until)}`;
    const reasons = gaps === 0 ? "" : ` (${countsText(gapReasons)})`;
    return [
      [
        "coverage",
        `${JSON.stringify(filter)}: ${proven}, ${counted(windows, "window")}, ${
          counted(gaps, "gap")
        }${reasons}`,
      ],
      ...provenLines(walk),
      ...withheldLines(walk, url),
      ...auditLines(walk, ago),
    ];
  });
}

/** As many windows as one reads. */
const WINDOWS = 5;

/** Nothing on Nostr is older. */
const FIRST_EVENTS_AT = 1_604_188_800;

function provenLines({ strengths, proven }: WalkReport): Line[] {
  if (proven.length === 0) return [];
  const lines = proven.slice(0, WINDOWS).map((window): Line => {
    const { since, until, strength } = window;
    const isOpen = since < FIRST_EVENTS_AT && until > FIRST_EVENTS_AT;
    const when = isOpen
      ? `the beginning … ${minute(until)}`
      : span(since, until);
    return ["", `${when} ${strength}`];
  });
  if (proven.length > WINDOWS) lines.push(["", "and older ones"]);
  return [["proven", strengthsText(strengths)], ...lines];
}

function withheldLines({ withheld }: WalkReport, url: string): Line[] {
  if (withheld === 0) return [];
  return [[
    "withheld",
    `${
      counted(withheld, "event")
    } that it lists and gives to nobody: bigbrotr status --relay ${url} --withheld`,
  ]];
}

function auditLines(
  { audit }: WalkReport,
  ago: (at: number) => string,
): Line[] {
  if (audit === null) return [];
  const { lastAskedAt } = audit;
  const last = lastAskedAt === null ? "" : `; last asked ${ago(lastAskedAt)}`;
  return [["audit", auditText(audit) + last]];
}

/** `2026-11-27 12:00: hidden, by silence: 3 events in 2024-01-02 … 2024-05-06, took back 2.1 years`. */
function caughtLine(contradiction: KeptContradiction): Line {
  const { at, kind, question, eventIds, since, until } = contradiction;
  const events = eventIds.length >= 10
    ? "10 events or more"
    : counted(eventIds.length, "event");
  return [
    "caught",
    `${minute(at)}: ${kind}, by ${question}: ${events} in ${
      span(since, until)
    }${tookBack(contradiction.retractedSeconds)}`,
  ];
}

function outageTable(outages: readonly Outage[], columns: number): string {
  return table(
    ["offline from", "to", "for", "checks", "cause"],
    outages.map(({ since, until, seconds, checks, cause }) => [
      moment(since),
      until === null ? "now" : moment(until),
      duration(seconds),
      grouped(checks),
      (cause ?? "").slice(0, 60),
    ]),
    columns,
  );
}
