/**
 * `deno task demo`: the whole pipeline on three relays of its own. Needs no network and ends by itself, with exit
 * code 0 only when every event of every relay is in the archive.
 *
 * @module
 */
import { grouped } from "../src/cli/terminal/numbers.ts";
import { sleep } from "../src/base/sleep.ts";
import {
  type ArchivedRelay,
  exportFault,
  isComplete,
  lookUpCandidate,
  lookUpRelays,
  relayTable,
  type TriedCandidate,
} from "./demo/audit.ts";
import { type Pipeline, startPipeline } from "./demo/pipeline.ts";
import {
  BURST_EVENTS,
  deadUrl,
  type DemoRelay,
  fillRelays,
  startRelays,
} from "./demo/relays.ts";
import { openStage, type Stage } from "./demo/stage.ts";

/** After this many seconds of work the demonstration has failed. Fetching packages on a first run does not count. */
const PATIENCE_SECONDS = 45;

const POLL_MS = 250;

const interrupted = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupted.abort());
Deno.addSignalListener("SIGTERM", () => interrupted.abort());
Deno.exit(await demonstrate(openStage(), interrupted.signal));

async function demonstrate(stage: Stage, signal: AbortSignal): Promise<number> {
  try {
    // Closed before the verdict, the last opened first: nothing is left running, nothing on the disk.
    const fault = await play(stage, signal);
    stage.verdict(
      fault === null,
      fault ?? `Nothing is missing. ${stage.seconds().toFixed(0)} s in all.`,
    );
    return fault === null ? 0 : 1;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    stage.verdict(
      false,
      signal.aborted ? "Interrupted; everything is cleaned up" : why,
    );
    return signal.aborted ? 130 : 1;
  }
}

/** Gives what went wrong, or null. */
async function play(stage: Stage, signal: AbortSignal): Promise<string | null> {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);

  stage.scene("Three relays, each in a process of its own");
  const { relays, gone } = await raiseRelays(stage, stack);

  stage.scene("BigBrotr, on an empty directory, with alpha as its only seed");
  stage.say("bigbrotr up: embedded PostgreSQL, schema, and all services.");
  stage.say("Its first run on a machine fetches PostgreSQL from npm.");
  const pipeline = await startPipeline({ folder, relays, stage, stack });

  stage.scene("The others are found, validated, checked and archived");
  const { archived, candidate } = await watchRelays(pipeline, {
    relays,
    gone,
    stage,
    signal,
  });

  stage.scene("What there is, and what is proven");
  stage.print(indented(await relayTable(archived, relays)));
  stage.say(
    candidate === null
      ? "The relay that is gone was not heard of."
      : `The relay that is gone: tried, and ${candidate.lastFailure}.`,
  );
  return await findFault(pipeline, { archived, relays, stage });
}

async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "bigbrotr-demo-" });
  // Root's PostgreSQL runs as somebody else, who must be able to get there.
  await Deno.chmod(folder, 0o755);
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  return folder;
}

async function raiseRelays(
  stage: Stage,
  stack: AsyncDisposableStack,
): Promise<{ relays: DemoRelay[]; gone: string }> {
  stage.say("Somebody else's code: @nostr-relay/core, from npm.");
  const processes = await startRelays(stack);
  const gone = deadUrl();
  const relays = await fillRelays(processes, gone);
  for (const { name, process, events } of relays) {
    const kinds = new Set(events.map(({ kind }) => kind)).size;
    stage.happened(
      name,
      `${process.url}  ${
        grouped(events.length)
      } signed events of ${kinds} kinds`,
    );
  }
  stage.say(
    "Relay lists and hints lead from alpha to beta, from beta to gamma,",
  );
  stage.say(`and from gamma to a relay that is gone (${gone}).`);
  stage.say(
    `gamma has ${BURST_EVENTS} events in one second, across the end of`,
  );
  stage.say("a page; beta has events that break careless code.");
  return { relays, gone };
}

/** Waits until everything is archived, patience ends or the program does; gives what there is then. */
async function watchRelays(
  { running, database }: Pipeline,
  { relays, gone, stage, signal }: {
    readonly relays: readonly DemoRelay[];
    readonly gone: string;
    readonly stage: Stage;
    readonly signal: AbortSignal;
  },
): Promise<{ archived: ArchivedRelay[]; candidate: TriedCandidate | null }> {
  const startedAt = stage.seconds();
  while (true) {
    const archived = await lookUpRelays(database, relays);
    const candidate = await lookUpCandidate(database, gone);
    const done = isComplete(archived, relays) && candidate?.failures === 1;
    const late = stage.seconds() - startedAt > PATIENCE_SECONDS;
    if (done || late || running.hasEnded) return { archived, candidate };
    await sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}

/** Compares what comes out of the archive with what the relays were given, to the byte. */
async function findFault(
  pipeline: Pipeline,
  { archived, relays, stage }: {
    readonly archived: readonly ArchivedRelay[];
    readonly relays: readonly DemoRelay[];
    readonly stage: Stage;
  },
): Promise<string | null> {
  if (!isComplete(archived, relays)) {
    return `Not everything was archived within ${PATIENCE_SECONDS} s: see the table and the log above`;
  }
  const fault = exportFault(await pipeline.command("export"), relays);
  if (fault !== null) return fault;
  stage.say(
    "bigbrotr export gives every event of every relay back, as signed.",
  );
  const { code } = await pipeline.running.stop("SIGTERM");
  return code === 0 ? null : `bigbrotr up exited ${code} when asked to stop`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "   ");
}
