/**
 * Archiving from the command line: sync from somebody else's relay, import, export, status.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { NostrEvent } from "../../src/models/event.ts";
import { communityEvents } from "../support/community.ts";
import {
  edgeCaseEvents,
  sameSecondEvents,
} from "../support/edge_case_events.ts";
import { eventFactory } from "../support/event_factory.ts";
import { scratchDatabase } from "../support/postgres.ts";
import {
  type Program,
  type ProgramResult,
  programs,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/program.ts";
import { relayProcess } from "../support/relay_process.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";

const FIXTURE = `${import.meta.dirname}/../fixtures/events.jsonl`;

for (const program of programs()) {
  Deno.test(`${program.name}: sync archives everything a third-party relay holds, once`, async () => {
    await using archive = await initArchive(program);
    await using relay = await relayProcess();
    const events = relayEvents(relay.url);
    const { held } = await relay.load(events);
    assert.equal(held, events.length);
    const sync = ["sync", relay.url, "--json", "--allow-private"];

    const first = JSON.parse(await archive.succeed(...sync));
    assert.equal(first.stored, events.length);
    const [report] = first.relays;
    assert.equal(report.url, relay.url);
    assert.deepEqual([report.complete, report.gaps], [true, []]);
    assert.deepEqual(
      sortedLines(await archive.succeed("export")),
      lines(events),
    );

    const second = JSON.parse(await archive.succeed(...sync));
    assert.equal(second.stored, 0);
    const status = JSON.parse(await archive.succeed("status", "--json"));
    assert.equal(status.events.count, events.length);
  });

  Deno.test(`${program.name}: what is imported is exported byte for byte, by filter and into gzip`, async () => {
    await using archive = await initArchive(program);
    await using folder = await temporaryDirectory();
    const events = Object.values(edgeCaseEvents(eventFactory("e2e edges")));
    const edges = join(folder.path, "edges.jsonl");
    await Deno.writeTextFile(
      edges,
      lines(events).map((l) => `${l}\n`).join(""),
    );
    const real = (await Deno.readTextFile(FIXTURE)).trim().split("\n")
      .map((line) => JSON.parse(line));

    const report = JSON.parse(
      await archive.succeed("import", edges, FIXTURE, "--json"),
    );
    assert.equal(report.stored, events.length + real.length);
    assert.deepEqual(report.rejected, {});
    const all = await archive.succeed("export");
    assert.deepEqual(sortedLines(all), lines([...events, ...real]));

    const packed = join(folder.path, "notes.jsonl.gz");
    await archive.succeed("export", "--kinds", "0,1", "-o", packed);
    const notes = [...events, ...real].filter(({ kind }) => kind < 2);
    const text = new TextDecoder().decode(
      gunzipSync(await Deno.readFile(packed)),
    );
    assert.deepEqual(sortedLines(text), lines(notes));
  });

  Deno.test(`${program.name}: import reads standard input, explains what it refuses, and fails for what is not there`, async () => {
    await using archive = await initArchive(program);
    const event = eventFactory("stdin").sign();
    const stdin = `${JSON.stringify(event)}\nno event\n`;
    const mixed = await archive.run(["import", "-"], stdin);
    assert.equal(mixed.code, 0, mixed.stderr);
    assert.match(mixed.stdout, /1 stored, 0 known, 1 rejected \(json 1\)/);
    assert.match(mixed.stdout, /line 2: json: Not JSON/);

    const absent = await archive.run(["import", "absent.jsonl", FIXTURE]);
    assert.equal(absent.code, 1);
    assert.match(absent.stdout, /Cannot read absent\.jsonl: there is no such/);
    assert.match(absent.stdout, /events\.jsonl: \d+ stored/);
  });

  Deno.test(`${program.name}: import of a stream stores what came before a pause, and ends when it is interrupted`, async () => {
    await using archive = await initArchive(program);
    await using folder = await temporaryDirectory();
    const fifo = join(folder.path, "events");
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    await using running = archive.start("import", fifo);
    using pipe = await Deno.open(fifo, { write: true });
    const event = JSON.stringify(eventFactory("stream").sign());
    await pipe.write(new TextEncoder().encode(`${event}\n`));
    await until(
      "the event is archived",
      async () => await archive.succeed("export") === `${event}\n`,
    );
    const { code, stdout } = await running.stop("SIGINT");
    assert.match(stdout, /1 stored, 0 known, 0 rejected/);
    assert.match(stdout, /Stopped/);
    assert.equal(code, 130);
  });

  Deno.test(`${program.name}: export ends quietly when its reader has enough`, async () => {
    await using archive = await initArchive(program);
    await archive.succeed("import", FIXTURE);
    const [command, ...args] = [...program.command, "export"];
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: [
        "-c",
        'set -o pipefail; "$@" | head -n 1',
        "export",
        command,
        ...args,
        "--database",
        archive.url,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout).split("\n").length, 2);
  });
}

interface Archive extends AsyncDisposable {
  readonly url: string;
  start(...args: string[]): RunningProgram;
  run(args: readonly string[], stdin?: string): Promise<ProgramResult>;
  /** Runs a command that must succeed, and gives what it printed. */
  succeed(...args: string[]): Promise<string>;
}

/** A server's database, set up by `db init`. */
async function initArchive(program: Program): Promise<Archive> {
  await using stack = new AsyncDisposableStack();
  const { url } = stack.use(await scratchDatabase());
  const folder = stack.use(await temporaryDirectory());
  const run = (args: readonly string[], stdin?: string) =>
    runProgram(program, [...args, "--database", url], {
      cwd: folder.path,
      ...(stdin === undefined ? {} : { stdin }),
    });
  const succeed = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const start = (...args: string[]) =>
    startProgram(program, [...args, "--database", url], { cwd: folder.path });
  await succeed("db", "init");
  const owned = stack.move();
  return {
    url,
    start,
    run,
    succeed,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Two weeks of many kinds, and many in one second, across the end of a page. */
function relayEvents(url: string): NostrEvent[] {
  const factory = eventFactory("e2e relay");
  const since = Math.floor(Date.now() / 1000) - 20 * 86_400;
  return [
    ...communityEvents(factory, {
      count: 1500,
      authors: 20,
      relays: [url],
      since,
      spanSeconds: 14 * 86_400,
    }),
    ...sameSecondEvents(factory, {
      count: 400,
      createdAt: since + 1000,
      authors: 3,
    }),
  ];
}

function lines(events: readonly NostrEvent[]): string[] {
  return events.map((event) => JSON.stringify(event)).sort();
}

function sortedLines(text: string): string[] {
  return text.split("\n").slice(0, -1).sort();
}
