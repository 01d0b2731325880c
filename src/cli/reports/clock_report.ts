/**
 * Clocks that differ from the database's, as lines for people.
 *
 * @module
 */
import { isSkewed, MAX_SKEW_SECONDS } from "../../archive/clock.ts";
import { WRITE_DEADLINE_MS } from "../runtime_record.ts";
import { duration } from "../terminal/numbers.ts";
import type { PipelineReport } from "./pipeline_report.ts";

/** A record that waited for the database says an earlier moment than the database notes. */
const MAX_RECORD_SKEW_SECONDS = MAX_SKEW_SECONDS + WRITE_DEADLINE_MS / 1_000;

/** One paragraph, its line ended by a newline, for each clock that is too far off; none when all agree. */
export function clockText(
  { clockSkewSeconds, services }: Pick<
    PipelineReport,
    "clockSkewSeconds" | "services"
  >,
): string[] {
  const here = isSkewed({ skewSeconds: clockSkewSeconds })
    ? [clockLine("this machine", clockSkewSeconds, CONSEQUENCE)]
    : [];
  const others = services.flatMap(({ service, process, clockSkewSeconds }) =>
    Math.abs(clockSkewSeconds ?? 0) > MAX_RECORD_SKEW_SECONDS
      ? [
        clockLine(
          `${service} on ${process}`,
          clockSkewSeconds ?? 0,
          CONSEQUENCE,
        ),
      ]
      : []
  );
  return [...here, ...others];
}

const CONSEQUENCE = "synchronizers there prove nothing complete";

/** One warning, ended by a newline. */
export function clockLine(
  whose: string,
  skewSeconds: number,
  consequence: string,
): string {
  const apart = duration(Math.abs(skewSeconds));
  const side = skewSeconds > 0 ? "ahead of" : "behind";
  return `WARNING: the clock of ${whose} is ${apart} ${side} the database's: ${consequence}\n`;
}
