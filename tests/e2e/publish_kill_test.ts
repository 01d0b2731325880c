/**
 * `bigbrotr monitor`, killed between what it stores and what it sends: the next one sends it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { testArchive } from "../support/archive.ts";
import { addRelay, reply, unusedPort } from "../support/monitor.ts";
import { externalVersion } from "../support/postgres.ts";
import { programs, runProgram, startProgram } from "../support/program.ts";
import { relayProcess } from "../support/relay_process.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { until } from "../support/until.ts";

// The one that users have, where it is built.
for (const program of programs().slice(-1)) {
  Deno.test(`${program.name}: what a killed monitor had stored is published by the next`, async () => {
    await using home = await temporaryDirectory();
    await using archive = await testArchive({
      version: await externalVersion(),
    });
    await using relay = await testRelay({ http: reply({ name: "A relay" }) });
    await addRelay(archive, relay.url);
    const port = await unusedPort();
    const config = join(home.path, "monitor.yaml");
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        allowPrivate: true,
        keys: { secretKeyEnv: "MONITOR_KEY" },
        publish: { relays: [`ws://127.0.0.1:${port}`] },
      }),
    );
    const args = ["monitor", "--config", config, "--database", archive.url];
    const options = { cwd: home.path, env: { MONITOR_KEY: "17".repeat(32) } };
    {
      await using running = startProgram(program, args, options);
      await until(
        "the target was tried",
        async () =>
          await archive.count("outbox_delivery where attempts > 0") > 2,
      );
      await running.stop("SIGKILL");
    }
    // As if it had been killed amid a round.
    await archive.sql`update outbox_target
      set claimed_until = unix_now() + 180, holder = 'the dead one'`;
    await using target = await relayProcess({ port });
    const once = [...args, "--once"];
    assert.equal((await runProgram(program, once, options)).code, 0);
    assert.equal((await target.counters()).held, 0, "the claim still holds");

    await archive
      .sql`update outbox_target set claimed_until = 1, next_try_at = 0`;
    const { code, stderr } = await runProgram(program, once, options);
    assert.equal(code, 0, stderr);
    assert.equal((await target.counters()).held, 3);
    assert.equal(
      await archive.count("outbox_delivery where result = 'accepted'"),
      3,
    );
    assert(!stderr.includes("17".repeat(32)));
  });
}
