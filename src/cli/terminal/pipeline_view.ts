/**
 * The pipeline as a few lines of a terminal, in the order of the data's path. Each line says the most important first
 * and leaves out what does not fit, so that it is right at any width.
 *
 * @module
 */
import type { PipelineCounts } from "../../archive/pipeline.ts";
import type { ServiceRuntime } from "../../core/lifecycle/runtime.ts";
import { type Network, NETWORKS } from "../../models/network.ts";
import { byteSize, counted, duration, grouped } from "./numbers.ts";
import type { Colour, Paint } from "./paint.ts";
import { displayWidth } from "./width.ts";

/** What there is to show. */
export interface PipelineView {
  readonly version: string;
  /** Null until the first count. */
  readonly counts: PipelineCounts | null;
  /** Events a second, between the last counts, the newest last. */
  readonly rates: readonly number[];
  readonly runtimes: ReadonlyMap<string, ServiceRuntime>;
  /** Why the pipeline could not be counted last; null when it could. */
  readonly trouble: string | null;
  readonly upSeconds: number;
  /** Asked to stop: what is in hand is being finished. */
  readonly isStopping: boolean;
  /** Unix seconds. */
  readonly now: number;
}

export interface ViewStyle {
  readonly columns: number;
  readonly paint: Paint;
}

/** Lines of at most `columns` - 1 characters. */
export function pipelineLines(view: PipelineView, style: ViewStyle): string[] {
  const { counts } = view;
  const stages = counts === null ? [] : [
    row("candidates", candidateParts(counts), style),
    row("relays", relayParts(counts), style),
    row("events", eventParts(counts, view.rates), style),
    row("proven", provenParts(counts, style.columns), style),
  ];
  return [
    headLine(view, style),
    ...stages,
    row("services", serviceParts(view), style),
    ...troubleParts(view).map((part) => row("", [part], style)),
  ];
}

/** Text in one colour or several. */
type Part = readonly (string | readonly [text: string, as: Colour])[];

const LABEL_COLUMNS = 12;
const SEPARATOR = " · ";

/** A label, and the parts that fit behind it. */
function row(
  label: string,
  parts: readonly Part[],
  { columns, paint }: ViewStyle,
): string {
  let line = ` ${paint(label.padEnd(LABEL_COLUMNS - 1), "faint")}`;
  let room = columns - 1 - LABEL_COLUMNS;
  for (const [i, part] of parts.entries()) {
    const separator = i === 0 ? "" : SEPARATOR;
    const width = displayWidth(separator + plainText(part));
    // The first is shown in any case: the screen cuts it.
    if (i > 0 && width > room) continue;
    room -= width;
    line += paint(separator, "faint") + painted(part, paint);
  }
  return line;
}

function plainText(part: Part): string {
  return part.map((piece) => typeof piece === "string" ? piece : piece[0])
    .join("");
}

function painted(part: Part, paint: Paint): string {
  return part.map((piece) =>
    typeof piece === "string" ? piece : paint(...piece)
  ).join("");
}

function headLine(
  { version, upSeconds, isStopping, counts }: PipelineView,
  { columns, paint }: ViewStyle,
): string {
  const size = counts === null ? "" : byteSize(counts.databaseBytes);
  const parts = [
    `bigbrotr ${version}`,
    `up ${duration(upSeconds)}`,
    ...(size === "" ? [] : [`database ${size}`]),
    isStopping ? "stopping: what is in hand is finished" : "Ctrl-C stops",
  ];
  let title = "──";
  for (const part of parts) {
    const longer = `${title} ${part} ──`;
    if (displayWidth(longer) <= columns - 1) title = longer;
  }
  const rest = Math.max(0, columns - 1 - displayWidth(title));
  return paint(title + "─".repeat(rest), "faint");
}

function candidateParts({ candidates }: PipelineCounts): Part[] {
  const total = sumOf(candidates, (one) => one.total);
  const claimed = sumOf(candidates, (one) => one.claimed);
  const due = sumOf(candidates, (one) => one.due);
  const failed = sumOf(candidates, (one) => one.failed);
  return present([
    [[grouped(total), "strong"]],
    due > 0 && [`${grouped(due)} due`],
    claimed > 0 && [[`${grouped(claimed)} being tried`, "good"]],
    failed > 0 && [[`${grouped(failed)} failed before`, "faint"]],
  ]);
}

function relayParts({ relays, coverage }: PipelineCounts): Part[] {
  const total = sumOf(relays, (one) => one.total);
  const online = sumOf(relays, (one) => one.online);
  const offline = sumOf(relays, (one) => one.offline);
  const unchecked = sumOf(relays, (one) => one.unchecked);
  const { live, running } = coverage;
  const syncing = Math.max(0, running - live);
  const overlays = NETWORKS.filter((network) =>
    network !== "clearnet" && relays[network].total > 0
  );
  return present([
    [[grouped(total), "strong"]],
    [[`${grouped(online)} online`, online > 0 ? "good" : "faint"]],
    live > 0 && [[`${grouped(live)} live`, "good"]],
    syncing > 0 && [[`${grouped(syncing)} being synced`, "good"]],
    offline > 0 && [[`${grouped(offline)} offline`, "faint"]],
    unchecked > 0 && [[`${grouped(unchecked)} not checked yet`, "faint"]],
    ...overlays.map((network): Part => [
      [`${network} ${grouped(relays[network].total)}`, "faint"],
    ]),
  ]);
}

function eventParts(
  { events, sightings }: PipelineCounts,
  rates: readonly number[],
): Part[] {
  const rate = rates.at(-1) ?? 0;
  const estimated = events.exact ? "" : "~";
  return present([
    [[`${estimated}${grouped(events.count)}`, "strong"]],
    [
      [`+${grouped(rate)}/s`, rate > 0 ? "good" : "faint"],
      ...(Math.max(0, ...rates) > 0 ? [` ${sparkline(rates)}`] : []),
    ],
    events.count > 0 && [
      [
        `each seen on ${(sightings.count / events.count).toFixed(1)} relays`,
        "faint",
      ],
    ],
  ]);
}

function provenParts(
  { coverage }: PipelineCounts,
  columns: number,
): Part[] {
  const { coveredShare, gaps, audit, medianLagSeconds } = coverage;
  if (coveredShare === null) return [[["nothing yet", "faint"]]];
  // Not everything is everything until nothing is missing.
  const percent = Math.floor(coveredShare * 1_000) / 10;
  const complete = `${grouped(coverage.completeRelays)} of ${
    grouped(coverage.wantedRelays)
  } complete`;
  return present([
    [...coverageBar(coverage, columns), [` ${percent} %`, "strong"]],
    [complete],
    gaps > 0 && [[counted(gaps, "gap"), "warn"]],
    audit.caughtRelays > 0 && [
      [`${counted(audit.caughtRelays, "relay")} caught`, "warn"],
    ],
    medianLagSeconds !== null && [
      [`${duration(medianLagSeconds)} behind`, "faint"],
    ],
  ]);
}

/** Green for what is proven, yellow for what is proven weakly only. */
function coverageBar(
  { coveredShare, strengths }: PipelineCounts["coverage"],
  columns: number,
): Part {
  const cells = Math.min(30, Math.max(6, Math.floor(columns / 5)));
  const full = Math.floor((coveredShare ?? 0) * cells);
  const weak = Math.round(full * strengths.weak);
  return [
    ["█".repeat(full - weak), "good"],
    ["█".repeat(weak), "warn"],
    ["░".repeat(cells - full), "faint"],
  ];
}

const BARS = "▁▂▃▄▅▆▇█";

/** Values beside each other as bars, the largest as high as can be. */
function sparkline(values: readonly number[]): string {
  const largest = Math.max(1, ...values);
  return values.map((value) =>
    BARS[Math.min(7, Math.round(value / largest * 7))]
  ).join("");
}

/** What fails first, then what works, then what waits: a narrow terminal has not room for all. */
function serviceParts({ runtimes, now }: PipelineView): Part[] {
  const services = [...runtimes].sort(([, a], [, b]) => rank(a) - rank(b));
  const parts = services.map(([name, runtime]): Part => {
    const { consecutiveFailures, cycleStartedAt, running } = runtime;
    if (!running) return [[`${name} done`, "faint"]];
    if (consecutiveFailures > 0) return [[`${name} fails`, "bad"]];
    if (cycleStartedAt === null) {
      return [[`${name} in ${duration(untilNext(runtime, now))}`, "faint"]];
    }
    const seconds = Math.max(0, now - cycleStartedAt);
    return [[name, "name"], ` ${duration(seconds)}`];
  });
  return parts.length === 0 ? [[["starting", "faint"]]] : parts;
}

function rank(runtime: ServiceRuntime): number {
  const { consecutiveFailures, cycleStartedAt, running } = runtime;
  if (!running) return 3;
  if (consecutiveFailures > 0) return 0;
  return cycleStartedAt === null ? 2 : 1;
}

/** A cycle begins an interval after the beginning of the one before. */
function untilNext(runtime: ServiceRuntime, now: number): number {
  const { lastCycleAt, lastCycleSeconds, intervalSeconds } = runtime;
  const startedAt = (lastCycleAt ?? now) - (lastCycleSeconds ?? 0);
  return Math.max(0, startedAt + intervalSeconds - now);
}

function troubleParts({ runtimes, trouble }: PipelineView): Part[] {
  const failures = [...runtimes]
    .filter(([, { consecutiveFailures }]) => consecutiveFailures > 0)
    .map(([name, { consecutiveFailures, lastError }]): Part => [[
      `${name} failed ${
        counted(consecutiveFailures, "time")
      } in a row: ${lastError}`,
      "bad",
    ]]);
  if (trouble === null) return failures;
  return [[[`the database does not answer: ${trouble}`, "bad"]], ...failures];
}

/** Those that are to be shown. */
function present(parts: readonly (Part | false)[]): Part[] {
  return parts.filter((part) => part !== false);
}

/** Of all networks together. */
export function sumOf<T>(
  perNetwork: Readonly<Record<Network, T>>,
  of: (one: T) => number,
): number {
  return NETWORKS.reduce(
    (total, network) => total + of(perNetwork[network]),
    0,
  );
}
