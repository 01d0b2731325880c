import assert from "node:assert/strict";
import { hostname } from "node:os";
import { goneHolders, newHolder } from "../../../src/core/lifecycle/holder.ts";

/** A process that goes on until it is disposed. */
function runs(program: string, args: string[]) {
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

Deno.test("goneHolders() names processes that ended, and those whose number has gone to another program", async () => {
  let ended: number;
  {
    await using process = runs("/bin/sleep", ["600"]);
    ended = process.pid;
  }
  const forever = "setInterval(() => {}, 1000)";
  await using program = runs(Deno.execPath(), ["eval", forever]);
  await using stranger = runs("/bin/sleep", ["600"]);
  const holderOf = (pid: number) => `${hostname()}:${pid}:12345678`;
  const gone = [ended, stranger.pid, Deno.pid].map(holderOf);
  const kept = [
    holderOf(program.pid),
    `elsewhere:${ended}:12345678`,
    "no name of ours",
  ];
  assert.deepEqual(
    (await goneHolders([...kept, ...gone])).toSorted(),
    gone.toSorted(),
  );
  assert.deepEqual(await goneHolders([]), []);
});

Deno.test("a new holder's name is this process's, and no other's", async () => {
  assert.notEqual(newHolder(), newHolder());
  const name = newHolder();
  // As the next process sees it that gets the same number, which containers give again and again.
  assert.deepEqual(await goneHolders([name]), [name]);
});
