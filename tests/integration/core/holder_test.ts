import assert from "node:assert/strict";
import { hostname } from "node:os";
import {
  goneHolders,
  holderText,
  newHolder,
} from "../../../src/core/lifecycle/holder.ts";
import { lines } from "../../support/lines.ts";

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

/** A process of ours that tells its name as a holder and goes on. */
async function anotherHolder() {
  const module = new URL(
    "../../../src/core/lifecycle/holder.ts",
    import.meta.url,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { newHolder } from "${module}";
       console.log(newHolder());
       setInterval(() => {}, 1000);`,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = lines(child.stdout);
  const { value: holder = "" } = await output.next();
  return {
    holder,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await output.next();
    },
  };
}

const ON_A_SERVER = { isOurs: false };
const EMBEDDED = { isOurs: true };

Deno.test("goneHolders() names processes that ended, on a server as well, and nobody of another machine, container or boot", async () => {
  let ended: string;
  {
    await using process = await anotherHolder();
    ended = process.holder;
  }
  await using living = await anotherHolder();
  const [, pid = "", boot, namespace, start = ""] =
    /:(\d+):(\w{8})-(\d+)-(\d+)-\w{8}$/.exec(living.holder) ?? [];
  const named = (mark: string, number = pid, host = hostname()) =>
    `${host}:${number}:${mark}-12345678`;
  // The number was given away anew: another process of ours had it before.
  const before = named(`${boot}-${namespace}-${Number(start) - 1}`);
  const [deadPid = ""] = /\d+(?=:[^:]*$)/.exec(ended) ?? [];
  const elsewhere = [
    named(`${boot}-${namespace}-1`, deadPid, "elsewhere"),
    named(`${boot}-1-1`, deadPid),
    named("00000000-1-1", deadPid),
    `${hostname()}:${deadPid}:12345678`,
  ];
  const holders = [ended, before, living.holder, newHolder(), ...elsewhere];
  assert.deepEqual(goneHolders(holders, ON_A_SERVER), [ended, before]);
  const [another, ...here] = elsewhere;
  assert.deepEqual(goneHolders(holders, EMBEDDED), [ended, before, ...here]);
  assert.deepEqual(goneHolders([`${another}`, living.holder], EMBEDDED), []);
});

Deno.test("goneHolders() knows by number and program those that were named without boot and start", async () => {
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
    goneHolders([...kept, ...gone], EMBEDDED),
    gone,
  );
  assert.deepEqual(goneHolders([...kept, ...gone], ON_A_SERVER), []);
  assert.deepEqual(goneHolders([], EMBEDDED), []);
});

Deno.test("a new holder's name is this process's, no other's, and short for people", () => {
  assert.notEqual(newHolder(), newHolder());
  const name = newHolder();
  assert.deepEqual(goneHolders([name], EMBEDDED), []);
  const short = `${hostname()}:${Deno.pid}`;
  assert.equal(
    holderText(`monitor of ${name}, synchronizer of ${name}`),
    `monitor of ${short}, synchronizer of ${short}`,
  );
});
