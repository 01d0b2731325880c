import assert from "node:assert/strict";
import { join } from "node:path";
import { seeder } from "../../../src/services/seeder/mod.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { SOURCE, startProgram } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";

Deno.test("two validators in two processes never dial the same candidate", async () => {
  await using archive = await testArchive();
  await using folder = await temporaryDirectory();
  // Nobody is answered before both have dialled: neither can be done before the other begins.
  const bothDialled = Promise.withResolvers<void>();
  const onReq = async (req: { serve(): Promise<void> }) => {
    if (agents().size === 2) bothDialled.resolve();
    await bothDialled.promise;
    await req.serve();
  };
  await using first = await testRelay({ onReq });
  await using second = await testRelay({ onReq });
  const dials = () => [first, second].flatMap(({ requests }) => requests);
  const agents = () =>
    new Set(dials().map((dial) => dial.headers["user-agent"]));

  const urls = Array.from(
    { length: 100 },
    (_, i) => `${i % 2 ? first.url : second.url}/${i}`,
  );
  const seeds = join(folder.path, "seeds.txt");
  await Deno.writeTextFile(seeds, urls.join("\n"));
  await runOnce(seeder, archive.database, {
    config: { filePath: seeds, allowPrivate: true },
  });

  const run = async (contact: string) => {
    const config = join(folder.path, `${contact}.yaml`);
    await Deno.writeTextFile(config, settings(contact));
    const line = [
      "validator",
      "--once",
      "--config",
      config,
      "--database",
      archive.url,
    ];
    await using program = startProgram(SOURCE, line, { cwd: folder.path });
    return await program.end();
  };
  for (const { code, stderr } of await Promise.all([run("one"), run("two")])) {
    assert.equal(code, 0, stderr);
  }
  const paths = dials().map(({ path }) => path).sort();
  assert.deepEqual(paths, urls.map((url) => new URL(url).pathname).sort());
  assert.equal(await archive.count("relay"), 100);
  assert.equal(agents().size, 2);
});

function settings(contact: string): string {
  return `
allowPrivate: true
contact: ${contact}
networks: { clearnet: { maxConnections: 3, timeoutMs: 60000 } }
`;
}
