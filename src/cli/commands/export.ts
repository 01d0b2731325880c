/**
 * `bigbrotr export`: events out of the archive, as JSONL.
 *
 * @module
 */
import { isStandardOutput } from "../../base/standard_streams.ts";
import {
  PUBLIC_VIEW,
  type ServedView,
} from "../../archive/visibility/served_view.ts";
import type { Filter } from "../../models/filter.ts";
import { exportEvents } from "../../transfer/export.ts";
import { openTarget } from "../../transfer/target.ts";
import type { Command, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import { FILTER_OPTIONS, readFilter } from "../options/filter_options.ts";
import { grouped } from "../terminal/numbers.ts";
import type { OptionValues } from "../options/option_values.ts";
import type { Output } from "../terminal/output.ts";

export const exportCommand: Command = {
  name: "export",
  summary: "Write archived events as JSONL",
  description:
    `Writes one event a line, newest first, exactly as signed: what was imported or synced comes out with the same id and
signature. Streams, so any number of events takes the same little memory. Everything is exported unless a filter says
less, or --served: then what authors deleted, what is expired, protected or private, and superseded versions stay out, as they
would for a stranger who asks a relay. JSONL is the only format so far, plain or gzip; there is no Parquet yet.

A file appears under its name when it is whole: one that was interrupted before leaves nothing.`,
  options: [
    ...FILTER_OPTIONS,
    {
      name: "limit",
      value: "COUNT",
      description: "this many at most, the newest",
    },
    {
      name: "served",
      description: "only what may be served to everybody",
    },
    {
      name: "output",
      short: "o",
      value: "FILE",
      description:
        "a file, gzip when it ends in .gz; - is standard output (default)",
      completes: "files",
    },
  ],
  examples: [
    { command: "export > all.jsonl", does: "everything" },
    {
      command: "export --kinds 0,3,10002 -o people.jsonl.gz",
      does: "profiles and relay lists, compressed",
    },
    {
      command: `export --filter '{"#t":["nostr"]}' --since 2026-01-01`,
      does: "by tag and time",
    },
  ],
  run: exportToTarget,
};

async function exportToTarget(invocation: Invocation): Promise<number> {
  const { options, stdout, log, signal } = invocation;
  const filter = limitedFilter(options);
  const output = options.text("output") ?? "-";
  const database = await invocation.openDatabase({ schema: "current" });
  let events = 0;
  const run: RunExport = async (write) => {
    await exportEvents(database, filter, {
      served: options.flag("served") ? servedView(invocation) : null,
      write,
      onProgress: (exported) => {
        events = exported;
        showProgress(invocation, events);
      },
      signal,
    });
  };
  try {
    const isWhole = isStandardOutput(output)
      ? await exportToStream(stdout, run)
      : await exportToFile(output, run);
    const message = isWhole ? "events exported" : "reader had enough events";
    log.info(message, { events, output });
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    log.error("export stopped before its end", { events, output });
    return 1;
  } finally {
    invocation.screen.show([]);
  }
}

function servedView(invocation: Invocation): ServedView {
  const { url } = invocation.brotrConfig().serving;
  return { ...PUBLIC_VIEW, ownUrl: url ?? null };
}

function limitedFilter(options: OptionValues): Filter {
  const filter = readFilter(options);
  const limit = options.integer("limit", { min: 0, max: MAX_LIMIT });
  if (limit === undefined) return filter;
  if (filter.limit === undefined) return { ...filter, limit };
  throw new UsageError(`--filter and --limit both say "limit"`);
}

const MAX_LIMIT = Number.MAX_SAFE_INTEGER;

type RunExport = (
  write: (lines: string) => Promise<void> | void,
) => Promise<void>;

/** Whether all was read. A reader that has enough (`… | head`) ends the export, and nothing is wrong with that. */
async function exportToStream(
  stdout: Output,
  run: RunExport,
): Promise<boolean> {
  try {
    await run((lines) => stdout.write(lines));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}

/** Always true: a file takes everything, or throws. */
async function exportToFile(path: string, run: RunExport): Promise<boolean> {
  await using target = await openTarget(path);
  await run((lines) => target.write(lines));
  await target.finish();
  return true;
}

/** More often would cost more than the events. */
const SHOW_EVERY = 1_000;

/** Only where it does not mix with the events on one terminal. */
function showProgress({ screen, stdout }: Invocation, events: number): void {
  if (stdout.isTerminal || events % SHOW_EVERY !== 0) return;
  screen.show([`${grouped(events)} events`]);
}
