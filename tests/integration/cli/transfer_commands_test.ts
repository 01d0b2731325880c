/**
 * `import` and `export` as a shell runs them: pipes, names of standard streams, exit codes.
 *
 * @module
 */
import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { insertEvents } from "../../../src/archive/events.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import { testArchive } from "../../support/archive.ts";
import { communityEvents } from "../../support/community.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const EVENTS = communityEvents(eventFactory("pipes"), {
  count: 3000,
  authors: 20,
  relays: ["wss://relay.example.com"],
  since: 1_700_000_000,
  spanSeconds: 2000,
});

Deno.test("export to a reader that has enough exits 0 and says how many it gave", async () => {
  await using archive = await testArchive();
  await insertEvents(archive.database, encodeEvents(EVENTS));
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      'set -o pipefail; "$@" | head -n 1',
      "bash",
      ...SOURCE.command,
      "export",
      "--database",
      archive.url,
    ],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr);
  ok(success, said);
  equal(new TextDecoder().decode(stdout).split("\n").length, 2);
  const [, count] = /reader had enough events events=(\d+)/.exec(said) ?? [];
  ok(Number(count) > 0 && Number(count) < EVENTS.length, said);
});

Deno.test("import and export take the names of standard streams", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const run = (args: string[], stdin?: string) =>
    runProgram(SOURCE, [...args, "--database", archive.url], {
      cwd: folder.path,
      ...(stdin !== undefined && { stdin }),
    });
  const lines = EVENTS.slice(0, 10).map((event) => JSON.stringify(event));
  const imported = await run(["import", "/dev/stdin"], lines.join("\n"));
  equal(imported.code, 0, imported.stderr);
  const exported = await run(["export", "-o", "/dev/stdout"]);
  equal(exported.code, 0, exported.stderr);
  deepStrictEqual(
    exported.stdout.trim().split("\n").sort(),
    lines.toSorted(),
  );
  const closed = await run(["import", "/dev/shm/no-such-events.jsonl"]);
  equal(closed.code, 1);
  match(closed.stdout, /what is below \/dev.*pipe it in as -/);
});

Deno.test("import exits 1 for a file of which nothing is an event, and for a damaged one", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "page.html");
  await Deno.writeTextFile(path, "<html>502 Bad Gateway</html>\n");
  const line = ["import", path, "--database", archive.url];
  const { code, stdout } = await runProgram(SOURCE, line, {
    cwd: folder.path,
  });
  equal(code, 1);
  match(stdout, /Nothing of .* can be imported: no line of it is a valid ev/);
});
