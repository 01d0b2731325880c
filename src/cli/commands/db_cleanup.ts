/**
 * `bigbrotr db cleanup`: deletes what is too old and what nothing refers to any more.
 *
 * @module
 */
import { forgetVanished } from "../../archive/visibility/forget.ts";
import { cleanup } from "../../archive/maintenance.ts";
import type { Command, Invocation } from "../command.ts";
import { labelledLines } from "../terminal/labelled_lines.ts";
import { counted, grouped } from "../terminal/numbers.ts";
import { textColumns } from "../terminal/output.ts";
import { UsageError } from "../usage_error.ts";

export const dbCleanup: Command = {
  name: "db cleanup",
  summary: "Delete what is too old, and what nothing refers to any more",
  description:
    `Checks, documents and rejections beyond their age go, but never the newest of a relay; then documents of no relay.
What checks say is summed up first: by hour for a while, by day for ever; outages stay. Events no relay was seen to hold go only with --orphan-events: imported events have no sighting either. What forget left undone is finished. It works page
by page beside running services; stopping it in the middle harms nothing.`,
  options: [
    {
      name: "check-days",
      value: "DAYS",
      description: "keep single checks as long (31; never for all)",
    },
    {
      name: "hour-days",
      value: "DAYS",
      description: "keep their sums by hour as long (92; never for all)",
    },
    {
      name: "metadata-days",
      value: "DAYS",
      description: "keep superseded documents as long (365; never for all)",
    },
    {
      name: "rejected-days",
      value: "DAYS",
      description: "keep rejected events as long (30; never for all)",
    },
    {
      name: "candidate-failures",
      value: "N",
      description: "also drop candidates that failed as often",
    },
    {
      name: "orphan-events",
      description: "also delete events without a sighting, imports included",
    },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [
    { command: "db cleanup", does: "with the default ages" },
    {
      command: "db cleanup --check-days 90 --metadata-days never",
      does: "other ages",
    },
  ],
  run: clean,
};

/** Rows looked at by one statement: long enough to be quick, short enough for others not to notice. */
const BATCH_SIZE = 5_000;

async function clean(invocation: Invocation): Promise<number> {
  const { options, stdout, signal } = invocation;
  const limits = {
    checkDays: days(invocation, "check-days", 31),
    hourDays: days(invocation, "hour-days", 92),
    metadataDays: days(invocation, "metadata-days", 365),
    rejectedDays: days(invocation, "rejected-days", 30),
    maxCandidateFailures:
      options.integer("candidate-failures", { min: 1, max: 1_000_000 }) ?? null,
    orphanEvents: options.flag("orphan-events"),
  };
  const database = await invocation.openDatabase({ schema: "current" });
  const { url, vanish } = invocation.brotrConfig().serving;
  if (vanish === "forget") await forgetVanished(database, url ?? null, signal);
  const deleted = await cleanup(database, {
    ...limits,
    batchSize: BATCH_SIZE,
    signal,
  });
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify(deleted)}\n`
      : labelledLines([["", deletedText(deleted)]], {
        label: 0,
        columns: textColumns(stdout),
      }),
  );
  return 0;
}

function deletedText(deleted: Awaited<ReturnType<typeof cleanup>>): string {
  const counts = [
    counted(deleted.checks, "check"),
    `${grouped(deleted.checkHours)} hours of checks`,
    `${grouped(deleted.relayMetadata)} references to documents`,
    counted(deleted.orphanMetadata, "document"),
    counted(deleted.rejected, "rejection"),
    counted(deleted.candidates, "candidate"),
    counted(deleted.orphanEvents + deleted.forgotten, "event"),
  ];
  return `Deleted ${counts.join(", ")}.`;
}

function days(
  { options }: Invocation,
  name: string,
  usual: number,
): number | null {
  const text = options.text(name);
  if (text === undefined) return usual;
  if (text === "never") return null;
  if (!/^\d+$/.test(text)) {
    throw new UsageError(
      `--${name} must be a number of days or never: given was "${text}"`,
    );
  }
  return options.integer(name, { min: 1, max: 100_000 }) ?? usual;
}
