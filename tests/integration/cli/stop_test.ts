import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { lines } from "../../support/lines.ts";

const SCRIPT = `
import { rootSignal } from ${
  JSON.stringify(import.meta.resolve("../../../src/cli/stop.ts"))
};
import { createLogger } from ${
  JSON.stringify(import.meta.resolve("../../../src/core/log/logger.ts"))
};
const [behaviour] = Deno.args;
using stop = rootSignal();
using log = createLogger({ level: "info", format: "json", time: "iso", service: "s" });
if (behaviour === "reloading") stop.onReload(() => console.log("reloaded"));
stop.attend({ log, graceSeconds: behaviour === "overlong" ? 0.2 : 60 });
console.log("ready");
await new Promise((done) => stop.signal.addEventListener("abort", done));
console.log("aborted: " + stop.signal.reason.message);
// Work that does not heed its signal.
if (behaviour !== "obedient" && behaviour !== "reloading") await new Promise((done) => setTimeout(done, 600_000));
`;

/** A process under the root signal, whose work heeds it or not. */
async function start(
  behaviour: "obedient" | "stubborn" | "overlong" | "reloading",
) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--ext=ts", "-", behaviour],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(SCRIPT));
  await writer.close();
  const stdout = lines(child.stdout);
  const said = async () => (await stdout.next()).value;
  equal(await said(), "ready");
  return {
    said,
    kill: (signal: Deno.Signal) => child.kill(signal),
    async end() {
      const { code } = await child.status;
      equal(await said(), undefined);
      const log: string[] = [];
      for await (const line of lines(child.stderr)) log.push(line);
      return { code, messages: log.map((line) => JSON.parse(line).message) };
    },
  };
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`${signal} aborts the root signal, and work that heeds it ends with 0`, async () => {
    const process = await start("obedient");
    process.kill(signal);
    equal(await process.said(), `aborted: stopped by ${signal}`);
    deepStrictEqual(await process.end(), { code: 0, messages: ["stopping"] });
  });
}

Deno.test("SIGHUP without a terminal reloads what can be reloaded, as often as it comes, and stops nothing", async () => {
  const process = await start("reloading");
  for (let times = 0; times < 2; times++) {
    process.kill("SIGHUP");
    equal(await process.said(), "reloaded");
  }
  process.kill("SIGTERM");
  equal(await process.said(), "aborted: stopped by SIGTERM");
  deepStrictEqual(await process.end(), { code: 0, messages: ["stopping"] });
});

Deno.test("a second SIGHUP is no second interrupt, as a closed terminal sends several", async () => {
  const process = await start("stubborn");
  process.kill("SIGHUP");
  ok((await process.said())?.startsWith("aborted"));
  process.kill("SIGHUP");
  process.kill("SIGTERM");
  equal((await process.end()).code, 130);
});

Deno.test("the second signal exits 130 at once", async () => {
  const process = await start("stubborn");
  process.kill("SIGTERM");
  ok((await process.said())?.startsWith("aborted"));
  process.kill("SIGINT");
  equal((await process.end()).code, 130);
});

Deno.test("work that outlasts the grace period is ended with 1", async () => {
  const process = await start("overlong");
  process.kill("SIGTERM");
  ok((await process.said())?.startsWith("aborted"));
  deepStrictEqual(await process.end(), {
    code: 1,
    messages: ["stopping", "stopping took too long, exiting without it"],
  });
});
