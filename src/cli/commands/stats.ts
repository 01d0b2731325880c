/**
 * `bigbrotr stats`: what is archived, in numbers.
 *
 * @module
 */
import {
  dayOf,
  type DayRange,
  LAST_DAY,
} from "../../archive/statistics/moments.ts";
import {
  readStatistics,
  SECTIONS,
} from "../../archive/statistics/read_statistics.ts";
import type { Window } from "../../models/window.ts";
import type { Command, Invocation } from "../command.ts";
import type { OptionValues } from "../options/option_values.ts";
import { TIME_FORMS } from "../options/time_text.ts";
import { statisticsText } from "../reports/statistics_report.ts";
import { textColumns } from "../terminal/output.ts";
import { UsageError } from "../usage_error.ts";

export const stats: Command = {
  name: "stats",
  summary: "Show statistics of what is archived",
  description:
    `Events, authors and new authors of any days, with the trend between them; the kinds, authors and relays with most events;
networks; and retention: of the authors who were new in a week, how many per cent were active so many weeks later. The
\`refresher\` counts while events come, so this reads no events: it answers at once at any size.

Days are whole ones of created_at, in UTC, and authors may claim any. Authors are counted exactly, except those of a kind, a
relay or a network: these are estimates, and ± is their standard error (1.6 %). Each event of a kind whose keys are thrown
away (445, 1059, 21059) counts as one author. A new author is one of whom nothing older is archived.`,
  arguments: [{
    name: "SECTION",
    description: `only this: ${SECTIONS.join(", ")}`,
    required: false,
    choices: SECTIONS,
  }],
  options: [
    {
      name: "since",
      value: "TIME",
      description: `first day, by any moment of it: ${TIME_FORMS}`,
    },
    {
      name: "until",
      value: "TIME",
      description: "last day, likewise (default today)",
    },
    {
      name: "last",
      value: "DAYS",
      description:
        "so many days up to the last one, as in 30d or 12w (default 30d)",
    },
    {
      name: "all",
      description: "all days, also those of 1970 and of the future",
    },
    {
      name: "top",
      value: "COUNT",
      description: "so many kinds, authors and relays (default 10)",
    },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [
    { command: "stats", does: "the last 30 days" },
    {
      command: "stats authors --since 2025-01-01 --until 2025-12-31 --top 100",
      does: "who published most in a year",
    },
    { command: "stats trend --all", does: "how the network grew" },
    {
      command: "stats retention --last 26w",
      does: "how many of the new authors stay",
    },
    {
      command: "stats trend --json | jq '.trend.steps[] | [.at, .authors]'",
      does: "for scripts",
    },
  ],
  run: show,
};

async function show(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const days = chosenDays(options);
  const top = options.integer("top", { min: 1, max: 10_000 }) ?? 10;
  const [chosen] = invocation.arguments;
  const sections = SECTIONS.filter((one) => (chosen ?? one) === one);
  const database = await invocation.openDatabase({ schema: "current" });
  const statistics = await readStatistics(database, {
    range: days,
    sections,
    top,
  });
  const range = secondsOf(days);
  if (options.flag("json")) {
    const said = Object.fromEntries(
      Object.entries(statistics).filter(([, value]) => value !== null),
    );
    stdout.write(`${JSON.stringify({ range, ...said }, null, 2)}\n`);
  } else {
    const columns = textColumns(stdout);
    stdout.write(statisticsText(statistics, { range, columns }));
  }
  return 0;
}

/** Days shown when nobody says which. */
const DAYS = 30;

/** The days that the options choose. Throws {@linkcode UsageError}. */
export function chosenDays(
  options: OptionValues,
  nowSeconds = Math.floor(Date.now() / 1_000),
): DayRange {
  const since = options.time("since");
  const until = options.time("until");
  const last = options.text("last");
  const chosen = [since, until, last].filter((one) => one !== undefined);
  if (options.flag("all")) {
    if (chosen.length === 0) return { firstDay: 0, lastDay: LAST_DAY };
    throw new UsageError("--all leaves nothing to --since, --until and --last");
  }
  if (since !== undefined && last !== undefined) {
    throw new UsageError("--since and --last both say the first day");
  }
  const lastDay = dayOf(until ?? nowSeconds);
  const firstDay = since === undefined
    ? lastDay - (last === undefined ? DAYS : daysOf(last)) + 1
    : dayOf(since);
  if (firstDay <= lastDay) return { firstDay: Math.max(0, firstDay), lastDay };
  throw new UsageError("--since must not be later than --until");
}

function daysOf(text: string): number {
  const [, count, unit] = /^(\d{1,5})([dw])$/.exec(text) ?? [];
  const days = Number(count) * (unit === "w" ? 7 : 1);
  if (days > 0) return days;
  throw new UsageError(
    `--last must be days or weeks, as in 30d or 12w: given was ${
      JSON.stringify(text)
    }`,
  );
}

function secondsOf({ firstDay, lastDay }: DayRange): Window {
  return { since: firstDay * 86_400, until: (lastDay + 1) * 86_400 - 1 };
}
