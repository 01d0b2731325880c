import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../src/core/config/config_error.ts";
import { findRelays } from "../../../src/archive/relays.ts";
import { seeder } from "../../../src/services/seeder/mod.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { runProgram, SOURCE, startProgram } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

Deno.test("seeder makes candidates of a file, reports malformed lines by number and goes on", async () => {
  await using archive = await testArchive();
  await using file = await seedFile([
    "# relays of a friend",
    "",
    "wss://Relay.Damus.io/   # trailing words",
    "not a url",
    "wss://relay.damus.io:443",
    "wss://filter.nostr.wine/npub1dergggklka99wwrs92yz8wdjs952h2ux2ha2ed598ngwu9w7a6fsh9xzpc",
    "wss://10.0.0.1",
    "ws://slow.nostr.band:8080/path\r",
    "https://example.com",
  ]);
  const { log, metric } = await runOnce(seeder, archive.database, {
    config: { filePath: file.path, batchSize: 2 },
  });

  const candidates = await archive.sql`
    select url, source, network from candidate order by url`;
  assert.deepEqual([...candidates], [
    {
      url: "ws://slow.nostr.band:8080/path",
      source: "seed",
      network: "clearnet",
    },
    { url: "wss://filter.nostr.wine", source: "seed", network: "clearnet" },
    { url: "wss://relay.damus.io", source: "seed", network: "clearnet" },
  ]);
  const refused = log.filter(({ message }) => message === "seed refused");
  assert.deepEqual(refused.map(({ line }) => line), [4, 7, 9]);
  assert.ok(refused.every(({ reason, detail }) => reason && detail));
  const warnings = log.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ message, seeds, line }) => [message, seeds, line]),
    [["seeds refused", 3, 4]],
  );
  const [summary] = log.filter(({ message }) => message === "seeds read");
  assert.equal(summary?.seeds, 4);
  assert.equal(summary?.stored, 3);
  assert.equal(summary?.malformed, 3);
  assert.equal(await metric("seeds_total", { outcome: "malformed" }), 3);
});

Deno.test("seeder takes seeds as relays when told to", async () => {
  await using archive = await testArchive();
  await using file = await seedFile([
    "wss://relay.damus.io",
    "ws://127.0.0.1:7777",
  ]);
  await runOnce(seeder, archive.database, {
    config: { filePath: file.path, seedAs: "relay", allowPrivate: true },
  });
  const relays = await findRelays(archive.database, {});
  assert.deepEqual(relays.map(({ url }) => url).sort(), [
    "ws://127.0.0.1:7777",
    "wss://relay.damus.io",
  ]);
  assert.equal(await archive.count("candidate"), 0);
});

Deno.test("seeder reads the shipped list by default, and a second time finds nothing new", async () => {
  await using archive = await testArchive();
  const first = await runOnce(seeder, archive.database);
  const stored = await first.metric("seeds_total", { outcome: "stored" });
  assert.ok(stored > 7_000, `${stored} seeds`);
  const tor = await archive.count("candidate where network = 'tor'");
  assert.ok(tor > 800, `${tor} onion seeds`);

  const second = await runOnce(seeder, archive.database);
  assert.equal(await second.metric("seeds_total", { outcome: "stored" }), 0);
});

Deno.test("seeder says which file it cannot read and why", async () => {
  await using archive = await testArchive();
  await assert.rejects(
    runOnce(seeder, archive.database, {
      config: { filePath: "/no/such/file" },
    }),
    (error: unknown) =>
      error instanceof ConfigError &&
      /filePath: cannot read seeds from "\/no\/such\/file" as there is no such file/
        .test(error.message),
  );
  await assert.rejects(
    runOnce(seeder, archive.database, { config: { filePath: "/tmp" } }),
    /cannot read seeds from "\/tmp" as it is a directory/,
  );
});

Deno.test("seeder holds no line whole that is too long for a relay", async () => {
  await using archive = await testArchive();
  await using file = await seedFile([
    `wss://${"a".repeat(5_000_000)}`,
    "wss://relay.damus.io",
  ]);
  const { log } = await runOnce(seeder, archive.database, {
    config: { filePath: file.path },
  });
  const [refused] = log.filter(({ message }) => message === "seed refused");
  assert.equal(refused?.line, 1);
  assert.equal(refused?.reason, "too-long");
  const [summary] = log.filter(({ message }) => message === "seeds read");
  assert.equal(summary?.stored, 1);
});

Deno.test("bigbrotr seeder - --as relay reads standard input", async () => {
  await using archive = await testArchive();
  const line = ["seeder", "-", "--as", "relay", "--database", archive.url];
  const { code, stderr } = await runProgram(SOURCE, line, {
    cwd: "/tmp",
    stdin: "wss://relay.damus.io\nbad\nwss://nos.lol",
  });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /seeds refused .*seeds=1 .*line=2 reason=/);
  assert.equal(await archive.count("relay"), 2);
});

Deno.test("bigbrotr seeder reads a pipe, and standard input by any of its names", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  const pipe = join(folder.path, "pipe");
  await new Deno.Command("mkfifo", { args: [pipe] }).output();
  const line = (file: string) => ["seeder", file, "--database", archive.url];
  const options = { cwd: folder.path };
  await using reading = startProgram(SOURCE, line(pipe), options);
  await Deno.writeTextFile(pipe, "wss://relay.damus.io\n");
  assert.equal((await reading.end()).code, 0);
  for (const [index, name] of ["/dev/stdin", "/dev/fd/0"].entries()) {
    const stdin = `wss://relay${index}.damus.io\n`;
    const { code, stderr } = await runProgram(SOURCE, line(name), {
      ...options,
      stdin,
    });
    assert.equal(code, 0, stderr);
  }
  assert.equal(await archive.count("candidate"), 3);
});

Deno.test("bigbrotr seeder names the file it cannot read and exits 2", async () => {
  await using archive = await testArchive();
  const line = ["seeder", "/no/such/file", "--database", archive.url];
  const { code, stderr } = await runProgram(SOURCE, line, { cwd: "/tmp" });
  assert.match(
    stderr,
    /cannot read seeds from "\/no\/such\/file" as there is no such file\n$/,
  );
  assert.equal(code, 2);
});

async function seedFile(lines: readonly string[]) {
  const path = await Deno.makeTempFile({ suffix: ".txt" });
  await Deno.writeTextFile(path, lines.join("\n"));
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path),
  };
}
