/**
 * Statistics as tables and plots for people.
 *
 * @module
 */
import type { Estimate } from "../../archive/statistics/estimate.ts";
import type { KindFigures } from "../../archive/statistics/read_kinds.ts";
import type {
  AuthorFigures,
  Cohort,
  NetworkFigures,
  RelayFigures,
  Statistics,
  Trend,
} from "../../archive/statistics/read_statistics.ts";
import type { Window } from "../../models/window.ts";
import { blockPlot } from "../terminal/block_plot.ts";
import { labelledLines } from "../terminal/labelled_lines.ts";
import { day, moment } from "../terminal/moments.ts";
import { counted, duration, grouped } from "../terminal/numbers.ts";
import { tame } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";

/** Columns of the names on the left. */
const LABEL = 13;

/** Of plots on paper, or in a file. */
const PLOT_COLUMNS = 92;

/** The sections that there are, for so many columns. `range`: Unix seconds of whole days. */
export function statisticsText(
  statistics: Statistics,
  { range, columns }: { readonly range: Window; readonly columns: number },
): string {
  const { trend, kinds, authors, relays, networks, retention, totals } =
    statistics;
  const share = (events: number) => percentOf(events, totals.events);
  const parts = [
    labelledLines(overview(statistics, range), { label: LABEL, columns }),
    trend && trendText(trend, columns),
    kinds?.length && kindTable(kinds, { share, columns }),
    authors?.length && authorTable(authors, { share, columns }),
    relays?.length && relayTable(relays, columns),
    networks?.length && networkTable(networks, columns),
    retention?.some(({ active }) => (active[0] ?? 0) > 0) &&
    retentionTable(retention, columns),
  ];
  // What there is nothing of is left out, heading and all.
  return parts.filter(Boolean).join("\n");
}

function overview(
  { now, status, totals }: Statistics,
  { since, until }: Window,
): [string, string][] {
  const days = counted((until + 1 - since) / 86_400, "day");
  const { foldedAt } = status;
  const lines: [string, string][] = [
    [
      "as of",
      foldedAt === null
        ? 'never: nothing is counted yet; "bigbrotr refresher" counts'
        : `${moment(foldedAt)}${missingText(status)}`,
    ],
    [
      "now",
      [
        `${counted(now.lastHour, "event")} within 1 h`,
        `${grouped(now.lastDay)} within 24 h`,
        `${grouped(now.lastWeek)} within 7 d`,
        `${grouped(now.lastMonth)} within 30 d`,
      ].join(", "),
    ],
    [
      "all days",
      `${counted(now.events, "event")} of ${counted(now.kinds, "kind")} by ${
        counted(now.authors, "author")
      }`,
    ],
  ];
  return [...lines, [
    "these days",
    `${day(since)} … ${day(until)} (${days}, UTC): ${
      counted(totals.events, "event")
    } of ${counted(totals.kinds, "kind")} by ${
      counted(totals.authors, "author")
    }, ${grouped(totals.newAuthors)} of them new${
      totals.events === 0 && now.events > 0 ? "; --all shows all days" : ""
    }`,
  ]];
}

/** What the figures lack. */
function missingText(
  { waiting, oldestSeconds, daysToMake, relaysToMake, staleSketches }:
    Statistics["status"],
): string {
  const made = [
    ...(daysToMake > 0 ? [counted(daysToMake, "day")] : []),
    ...(relaysToMake > 0 ? [counted(relaysToMake, "relay")] : []),
    ...(staleSketches > 0 ? [counted(staleSketches, "estimate")] : []),
  ];
  const missing = [
    ...(waiting > 0
      ? [`${counted(waiting, "fact")} since ${duration(oldestSeconds ?? 0)}`]
      : []),
    ...(made.length > 0 ? [`${made.join(", ")} to be made again`] : []),
  ];
  return missing.length === 0
    ? "; nothing has changed since"
    : `; not in it: ${missing.join("; ")}`;
}

function trendText(trend: Trend, columns: number): string {
  const steps = shownSteps(trend);
  if (steps.length < 2) return "";
  const width = Math.max(10, Math.min(columns, LABEL + PLOT_COLUMNS) - LABEL);
  const step = trend.stepDays === 1 ? "a day" : `in ${trend.stepDays} days`;
  const plots = ([
    ["events", (one) => one.events],
    ["authors", (one) => one.authors],
    ["new authors", (one) => one.newAuthors],
  ] satisfies [string, (one: Step) => number][]).flatMap(([name, of]) => {
    const values = steps.map(of);
    const drawn = blockPlot(values, { columns: width, lines: 3 });
    const notes = [name, `≤ ${short(Math.max(...values))}`, step];
    return drawn.map((line, i) =>
      `${(notes[i] ?? "").padEnd(LABEL)}${line}`.trimEnd()
    );
  });
  const first = day(steps[0]!.at);
  const last = day(steps.at(-1)!.at);
  const drawn = Math.min(width, steps.length);
  const axis = first.length + last.length < drawn
    ? first + last.padStart(drawn - first.length)
    : `${first} … ${last}`;
  return [...plots, `${" ".repeat(LABEL)}${axis}`].join("\n") + "\n";
}

type Step = Trend["steps"][number];

/**
 * Each step between the first and the last, those in which there is nothing too. Not drawn are the few that claim to be of
 * 1970 or of the future: between them and the rest there would be nothing to see.
 */
function shownSteps({ steps, stepDays }: Trend): Step[] {
  const highest = Math.max(...steps.map(({ events }) => events), 0);
  const weighty = steps.filter(({ events }) => events * 10_000 >= highest);
  const seconds = stepDays * 86_400;
  const byTime = new Map(steps.map((step) => [step.at, step]));
  const first = weighty[0]?.at ?? 0;
  const last = weighty.at(-1)?.at ?? -1;
  const shown: Step[] = [];
  for (let at = first; at <= last; at += seconds) {
    shown.push(
      byTime.get(at) ?? { at, events: 0, authors: 0, newAuthors: 0 },
    );
  }
  return shown;
}

interface ShareOptions {
  readonly share: (events: number) => string;
  readonly columns: number;
}

function kindTable(
  kinds: readonly KindFigures[],
  { share, columns }: ShareOptions,
): string {
  return table(
    ["kind", "category", "events", "%", "authors", "±"],
    kinds.map(({ kind, category, events, authors }) => [
      `${kind}`,
      category,
      grouped(events),
      share(events),
      ...estimateCells(authors),
    ]),
    columns,
  );
}

function authorTable(
  authors: readonly AuthorFigures[],
  { share, columns }: ShareOptions,
): string {
  return table(
    ["author", "events", "%", "kinds", "first", "last"],
    authors.map(({ npub, events, kinds, firstAt, lastAt }) => [
      columns < 120 ? `${npub.slice(0, 14)}…${npub.slice(-6)}` : npub,
      grouped(events),
      share(events),
      grouped(kinds),
      day(firstAt),
      day(lastAt),
    ]),
    columns,
  );
}

function relayTable(relays: readonly RelayFigures[], columns: number): string {
  const urlColumns = Math.max(24, Math.min(60, columns - 45));
  return table(
    ["relay", "events", "authors", "±", "network"],
    relays.map(({ url, network, events, authors, isWhole }) => [
      tame(url, urlColumns) + (isWhole ? "" : " *"),
      grouped(events),
      ...estimateCells(authors),
      network,
    ]),
    columns,
  ) + (relays.some(({ isWhole }) =>
      !isWhole
    )
    ? "* is being made again, and holds more than this\n"
    : "");
}

function networkTable(
  networks: readonly NetworkFigures[],
  columns: number,
): string {
  return table(
    ["network", "relays", "events", "±", "authors", "±", "kinds"],
    networks.map(({ network, relays, events, authors, kinds }) => [
      network,
      grouped(relays),
      ...estimateCells(events),
      ...estimateCells(authors),
      grouped(kinds),
    ]),
    columns,
  );
}

/** Cohorts shown: the latest. */
const COHORTS = 12;

/** Percent of a week's new authors who were active so many weeks later. */
function retentionTable(cohorts: readonly Cohort[], columns: number): string {
  const shown = cohorts.slice(-COHORTS);
  const weeks = Math.max(0, ...shown.map(({ active }) => active.length - 1));
  return table(
    [
      "new in",
      "authors",
      ...Array.from({ length: weeks }, (_, i) => `+${i + 1} w %`),
    ],
    shown.map(({ at, active: [fresh = 0, ...later] }) => [
      day(at),
      grouped(fresh),
      ...later.map((count) => percentOf(count, fresh)),
    ]),
    columns,
  );
}

/** The count and its error; nothing is said of an error where the count is exact. */
function estimateCells(estimate: Estimate | null): [string, string] {
  if (estimate === null) return ["–", ""];
  const { count, error } = estimate;
  return [grouped(count), error === null ? "" : grouped(error)];
}

function percentOf(part: number, whole: number): string {
  return whole === 0 ? "" : (part / whole * 100).toFixed(1);
}

/** `999`, `12.3k`, `4.5M`. */
function short(value: number): string {
  if (value < 1_000) return grouped(value);
  if (value < 1e6) return `${(value / 1_000).toFixed(1)}k`;
  return value < 1e9
    ? `${(value / 1e6).toFixed(1)}M`
    : `${(value / 1e9).toFixed(1)}G`;
}
