/**
 * `bigbrotr import FILE…`: JSONL into the archive.
 *
 * @module
 */
import { isStandardInput } from "../../base/standard_streams.ts";
import { loadVerifier } from "../../nips/verify/verifier.ts";
import {
  type ImportContext,
  type ImportCounts,
  importSource,
  MAX_LINE_BYTES,
} from "../../transfer/import.ts";
import { findSource, type Source, SourceError } from "../../transfer/source.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import { byteSize, grouped } from "../terminal/numbers.ts";

export const importCommand: Command = {
  name: "import",
  summary: "Archive events from JSONL files",
  description:
    `Reads one event a line (as strfry and nak export them) or a JSON array of events, plain, gzip or zstd; - is standard
input. Lines such as ["EVENT",…] are read, too. Of a damaged file everything before the damage is stored.
Each event's shape, id and signature are verified. What is refused is counted and explained by line, kept in
rejected_event, and does not stop the import. Imported events have no sighting: no relay was seen to hold them.

An import that was stopped goes on where it was, also in a file that has grown since; --restart begins anew. Exits 0
when every file was read to its end, rejected lines or not; 1 when one could not, or when nothing of it is an event;
130 when the import was interrupted.`,
  arguments: [{
    name: "FILE",
    description: "JSONL or a JSON array; - for standard input",
    required: true,
    variadic: true,
    completes: "files",
  }],
  options: [
    { name: "restart", description: "read files from their beginning" },
    {
      name: "max-line-bytes",
      value: "BYTES",
      description: `reject longer lines (default ${MAX_LINE_BYTES})`,
    },
    { name: "json", description: "print one JSON object at the end" },
  ],
  examples: [
    { command: "import notes.jsonl dump.jsonl.gz", does: "two files" },
    {
      command: "import - < strfry.jsonl",
      does: "standard input, which cannot be resumed",
    },
  ],
  run: importFiles,
};

/** Report of `--json` about one file. */
interface FileReport extends ImportCounts {
  readonly file: string;
  readonly seconds: number;
}

async function importFiles(invocation: Invocation): Promise<number> {
  const { options, signal, screen, log } = invocation;
  const files = distinct(invocation.arguments);
  const maxLineBytes = options.integer("max-line-bytes", {
    min: 1_000,
    max: 256 * 1024 * 1024,
  }) ?? MAX_LINE_BYTES;
  using verifier = await loadVerifier();
  const database = await invocation.openDatabase({ schema: "made" });
  log.info("import started", { files: files.length, verifier: verifier.name });

  const reports: FileReport[] = [];
  for (const file of files) {
    if (signal.aborted) break;
    reports.push(
      await importFile(file, invocation, {
        database,
        verifier,
        restart: options.flag("restart"),
        maxLineBytes,
        signal,
      }),
    );
  }
  screen.show([]);
  invocation.stdout.write(
    options.flag("json")
      ? `${JSON.stringify(summary(reports))}\n`
      : reports.map(reportText).join(""),
  );
  return reports.some(({ unreadable }) => unreadable !== null) ? 1 : 0;
}

/** Files without repetitions: the same one twice would only be read twice. */
function distinct(files: readonly string[]): string[] {
  if (files.filter(isStandardInput).length > 1) {
    throw new UsageError("Standard input (-) can be read only once");
  }
  return [...new Set(files)];
}

async function importFile(
  file: string,
  { screen, log }: Invocation,
  context: Omit<ImportContext, "onProgress">,
): Promise<FileReport> {
  const startedAt = performance.now();
  const counts = await readSource(file, (source) =>
    importSource(source, {
      ...context,
      onProgress: (counts) => screen.show([progressLine(source, counts)]),
    }));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { stored, known, rejected, complete, unreadable } = counts;
  const outcome = { file, stored, known, rejected: total(rejected) };
  if (unreadable === null) log.info("file imported", { ...outcome, complete });
  else log.error("file not imported", { ...outcome, why: unreadable });
  return { file, ...counts, seconds };
}

/** A file that is not there is a file of which nothing could be read. */
async function readSource(
  file: string,
  read: (source: Source) => Promise<ImportCounts>,
): Promise<ImportCounts> {
  try {
    return await read(await findSource(file));
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return {
      firstLine: 1,
      stored: 0,
      known: 0,
      rejected: {},
      samples: [],
      complete: false,
      unreadable: error.message,
    };
  }
}

function progressLine(source: Source, counts: ImportCounts): string {
  const taken = source.takenBytes();
  const share = source.sizeBytes === null || source.sizeBytes === 0
    ? byteSize(taken)
    : `${Math.floor(100 * taken / source.sizeBytes)} %`;
  return `${source.name}  ${share}  ${countsText(counts)}`;
}

function reportText(report: FileReport): string {
  const { file, firstLine, samples, complete, unreadable, seconds } = report;
  const lines = [
    `${file}: ${countsText(report)} in ${seconds.toFixed(1)} s` +
    (firstLine > 1 ? `, from line ${grouped(firstLine)} on` : ""),
    ...samples.map(({ line, reason, detail }) =>
      `  line ${line}: ${reason}: ${detail}`
    ),
  ];
  const unshown = total(report.rejected) - samples.length;
  if (unshown > 0) lines.push(`  and ${grouped(unshown)} more`);
  if (unreadable !== null) lines.push(`  ${unreadable}`);
  else if (!complete) lines.push("  Stopped; the same command goes on here");
  return lines.map((line) => `${line}\n`).join("");
}

function countsText({ stored, known, rejected }: ImportCounts): string {
  const reasons = Object.entries(rejected)
    .map(([reason, count]) => `${reason} ${grouped(count)}`).join(", ");
  return `${grouped(stored)} stored, ${grouped(known)} known, ` +
    `${grouped(total(rejected))} rejected${reasons && ` (${reasons})`}`;
}

function summary(reports: readonly FileReport[]): Record<string, unknown> {
  const sum = (of: (report: FileReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const rejected: Record<string, number> = {};
  for (const report of reports) {
    for (const [reason, count] of Object.entries(report.rejected)) {
      rejected[reason] = (rejected[reason] ?? 0) + count;
    }
  }
  const stored = sum((report) => report.stored);
  const known = sum((report) => report.known);
  const seconds = sum((report) => report.seconds);
  const events = stored + known + total(rejected);
  return {
    files: reports,
    stored,
    known,
    rejected,
    seconds,
    eventsPerSecond: seconds === 0 ? 0 : Math.round(events / seconds),
  };
}

function total(rejected: Readonly<Record<string, number>>): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}
