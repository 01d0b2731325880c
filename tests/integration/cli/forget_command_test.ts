/**
 * `forget`, and `export --served`, as an operator runs them.
 *
 * @module
 */
import { deepStrictEqual, equal, match } from "node:assert/strict";
import { noteEncode, npubEncode } from "nostr-tools/nip19";
import { insertEvents, storeBatch } from "../../../src/archive/events.ts";
import { encodeEvents } from "../../../src/models/encoded_events.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { missing, unless } from "../../support/installed.ts";
import { runProgram, SOURCE } from "../../support/program.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const factory = eventFactory("forget command");
const NOTES = Array.from(
  { length: 6 },
  (_, n) => factory.sign({ author: n % 2 }),
);

async function run(archive: TestArchive, args: readonly string[]) {
  await using folder = await temporaryDirectory();
  return await runProgram(SOURCE, [...args, "--database", archive.url], {
    cwd: folder.path,
  });
}

Deno.test("forget says what there is, asks, and deletes what npub, note and hex name", async () => {
  await using archive = await testArchive();
  const relayId = await newRelay(archive);
  await storeBatch(archive.database, syncBatch(relayId, NOTES));
  const [note, , hex] = NOTES;
  const author = npubEncode(factory.pubkey(1));
  const dry = await run(archive, ["forget", author, "--dry-run"]);
  deepStrictEqual([dry.code, dry.stdout], [
    0,
    `Would delete author ${factory.pubkey(1)}: 3 events, 3 sightings\n`,
  ]);
  equal(await archive.count("event"), 6);
  const unasked = await run(archive, ["forget", author]);
  equal(unasked.code, 2);
  match(unasked.stderr, /standard input is no terminal: --yes/);
  equal(await archive.count("event"), 6);

  const targets = [author, noteEncode(note!.id), hex!.id.toUpperCase()];
  const done = await run(archive, ["forget", ...targets, "--yes"]);
  deepStrictEqual([done.code, done.stdout], [
    0,
    "Deleted 1 author and 2 single events: 5 events, 5 sightings\n",
  ]);
  equal(await archive.count("event"), 1);
  equal(await archive.count("event_relay"), 1);
  await insertEvents(archive.database, encodeEvents(NOTES));
  equal(await archive.count("event"), 1);

  const verified = await run(archive, ["db", "verify", "--deep"]);
  equal(verified.code, 0, verified.stdout);
});

const NO_SCRIPT = await missing("script", ["--version"]);

Deno.test({
  ...unless(NO_SCRIPT, "forget in a terminal asks, and only y or yes is yes"),
  async fn() {
    await using archive = await testArchive();
    const relayId = await newRelay(archive);
    await storeBatch(archive.database, syncBatch(relayId, NOTES));
    for (const answer of ["n\n", "\n", "yeah\n", "\x04"]) {
      const refused = await answered(archive, factory.pubkey(1), answer);
      deepStrictEqual([refused, await archive.count("event")], [1, 6]);
    }
    equal(await answered(archive, factory.pubkey(1), "y\n"), 0);
    equal(await archive.count("event"), 3);
    equal(await answered(archive, factory.pubkey(0), "YES\n"), 0);
    equal(await archive.count("event"), 0);
  },
});

/** The exit code of a forget in a terminal, once its question has come and was answered. */
async function answered(
  archive: TestArchive,
  key: string,
  answer: string,
): Promise<number> {
  await using folder = await temporaryDirectory();
  const command = [...SOURCE.command, "forget", key, "--database", archive.url]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--flush", "--command", command, "/dev/null"],
    cwd: folder.path,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  let output = "";
  let isAnswered = false;
  const decoder = new TextDecoderStream();
  for await (const text of child.stdout.pipeThrough(decoder)) {
    output += text;
    if (isAnswered || !output.includes("[y/N]")) continue;
    match(
      output,
      /Delete for good author [0-9a-f]{64}: 3 events, 3 sightings\?/,
    );
    await input.write(new TextEncoder().encode(answer));
    isAnswered = true;
  }
  equal(isAnswered, true, output);
  await input.close().catch(() => {});
  return (await child.status).code;
}

Deno.test("forget refuses what is no key, and hex of which it cannot tell what it is", async () => {
  await using archive = await testArchive();
  for (const text of ["npub1xyz", "nsec1abc", "wss://nos.lol"]) {
    const refused = await run(archive, ["forget", text, "--yes"]);
    equal(refused.code, 2);
    match(refused.stderr, /Cannot forget one of these/);
  }
  const id = "ab".repeat(32);
  const unclear = await run(archive, ["forget", id, "--yes"]);
  equal(unclear.code, 2);
  match(unclear.stderr, /--as author or --as event/);
  const told = await run(archive, [
    "forget",
    id,
    "--as",
    "event",
    "-y",
    "--json",
  ]);
  deepStrictEqual(JSON.parse(told.stdout).deleted, { events: 0, sightings: 0 });
  equal(await archive.count("forgotten_event"), 1);
});

Deno.test("export gives everything, and with --served what a stranger may see", async () => {
  await using archive = await testArchive();
  const [kept, deleted] = NOTES;
  const request = factory.sign({ kind: 5, tags: [["e", deleted!.id]] });
  const message = factory.sign({ kind: 4 });
  const events = [kept!, deleted!, request, message];
  equal(deleted!.pubkey === request.pubkey, false);
  const own = factory.sign({ author: 1, kind: 5, tags: [["e", deleted!.id]] });
  await insertEvents(archive.database, encodeEvents([...events, own]));
  const idsOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(archive, ["export", ...args]);
    equal(code, 0, stderr);
    return stdout.trim().split("\n").map((line) => JSON.parse(line).id).sort();
  };
  deepStrictEqual(
    await idsOf(),
    [...events, own].map(({ id }) => id).sort(),
  );
  deepStrictEqual(
    await idsOf("--served"),
    [kept!, request, own].map(({ id }) => id).sort(),
  );
  deepStrictEqual(
    await idsOf("--served", "--kinds", "1"),
    [kept!.id],
  );
});
