/**
 * `bigbrotr sync` from the command line: what it takes, what it says, and how it ends.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { STRENGTHS } from "../../src/archive/sync/sync_coverage.ts";
import { testArchive } from "../support/archive.ts";
import { eventFactory } from "../support/event_factory.ts";
import {
  type Program,
  type ProgramResult,
  programs,
  runProgram,
  startProgram,
} from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { makeCertificate } from "../support/tls.ts";

const factory = eventFactory("sync command");
const FIRST = 1_700_000_000;
const EVENTS = Array.from(
  { length: 300 },
  (_, i) =>
    factory.sign({ createdAt: FIRST + i * 60, kind: [0, 1, 7][i % 3]! }),
);

for (const program of programs()) {
  Deno.test(`${program.name}: a relay is synced, and its document read, over TLS`, async () => {
    await using archive = await testArchive();
    await using home = await temporaryDirectory();
    const certificate = await makeCertificate({ names: ["127.0.0.1"] });
    const authority = join(home.path, "authority.pem");
    await Deno.writeTextFile(authority, certificate.ca);
    await using relay = await testRelay({
      events: EVENTS,
      certificate,
      http: {
        status: 200,
        headers: { "Content-Type": "application/nostr+json" },
        body: JSON.stringify({ name: "behind TLS" }),
      },
    });
    const options = { cwd: home.path, env: { DENO_CERT: authority } };
    const { stdout } = await runProgram(program, [
      "sync",
      relay.url,
      "--json",
      "--allow-private",
      "--database",
      archive.url,
    ], options);
    const { stored, relays: [report] } = JSON.parse(stdout);
    assert.deepEqual([stored, report.complete], [EVENTS.length, true]);
    const check = ["check", relay.url, "--json", "--allow-private"];
    const checked = await runProgram(program, check, options);
    assert.match(checked.stdout, /behind TLS/);
  });

  Deno.test(`${program.name}: sync --json prints one object, for programs`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({ events: EVENTS, maxLimit: 100 });
    await using dead = await testRelay();
    const deadUrl = dead.url;
    await dead[Symbol.asyncDispose]();
    const { code, stdout } = await sync(program, archive.url, [
      relay.url,
      deadUrl,
      "--json",
      "--workers",
      "1",
    ]);
    assert.equal(code, 1, "one relay could not be asked at all");
    assert.equal(stdout.trim().split("\n").length, 1);
    const { relays, stored, known, seconds, eventsPerSecond } = JSON.parse(
      stdout,
    );
    assert.deepEqual([stored, known], [300, 0]);
    assert.ok(seconds > 0 && eventsPerSecond > 0);
    const [report, failed] = relays;
    assert.deepEqual(Object.keys(report), [
      "url",
      "stored",
      "known",
      "received",
      "requests",
      "rejected",
      "complete",
      "method",
      "proof",
      "audit",
      "clock",
      "gaps",
      "failure",
      "seconds",
    ]);
    assert.equal(report.failure, null);
    assert.match(failed.failure, /refused/);
    const names = async (table: string) =>
      (await archive.sql.unsafe(`select url from ${table}`)).map(({ url }) =>
        url
      );
    assert.deepEqual(await names("relay"), [relay.url], "only what answered");
    assert.deepEqual(await names("candidate"), [deadUrl]);
    const shares: unknown[] = Object.values(report.proof);
    assert.deepEqual(Object.keys(report.proof), [...STRENGTHS]);
    assert.equal(shares.map(Number).reduce((sum, share) => sum + share), 1);
    assert.deepEqual(Object.values(failed.proof), [0, 0, 0, 0]);
    assert.deepEqual(
      Object.keys(report.audit),
      ["asked", "confirmed", "contradicted", "retracted"],
    );
    assert.equal(report.url, relay.url);
    assert.deepEqual([report.stored, report.complete], [300, true]);
    assert.equal(report.method, "paging");
    const asked = ["REQ", "NEG-OPEN", "COUNT"]
      .reduce((sum, type) => sum + relay.count(type), 0);
    assert.equal(report.requests, asked - 1, "one REQ admitted the relay");
    assert.deepEqual([failed.complete, failed.requests], [false, 0]);
    assert.deepEqual(failed.gaps.map((gap: { reason: string }) => gap.reason), [
      "refused",
    ]);
  });

  Deno.test(`${program.name}: sync walks the filters and the time it is given`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({ events: EVENTS });
    const { code, stdout } = await sync(program, archive.url, [
      relay.url,
      "--filter",
      '{"kinds":[0]}',
      "--filter",
      '{"kinds":[7]}',
      "--since",
      String(FIRST + 90 * 60),
      "--until",
      "2023-11-15T00:13:19Z",
    ]);
    assert.equal(code, 0);
    const status = await runProgram(program, [
      "status",
      "--json",
      "--database",
      archive.url,
    ], { cwd: "/tmp" });
    const { coverage } = JSON.parse(status.stdout);
    assert.equal(coverage.worstLagSeconds, null, "nobody wants it kept up");
    assert.match(stdout, /complete \((reconciled|counted|paged|weak)\)/);
    assert.equal(await archive.count("event where kind in (0, 7)"), 20);
    assert.equal(await archive.count("event where kind = 1"), 0);
  });

  Deno.test(`${program.name}: sync that is interrupted finishes what is in hand and prints its summary`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({
      events: EVENTS,
      maxLimit: 20,
      onReq: async (req) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await req.serve();
      },
    });
    await using home = await temporaryDirectory();
    await using running = startProgram(program, [
      "sync",
      relay.url,
      "--json",
      "--allow-private",
      "--database",
      archive.url,
    ], { cwd: home.path });
    await Promise.race([relay.received("REQ", 5), running.end()]);
    const { code, stdout, stderr } = await running.stop("SIGINT");
    assert.equal(code, 130, stderr);
    const { stored, relays: [report] } = JSON.parse(stdout);
    assert.ok(stored > 0 && stored < 300, `${stored} stored`);
    assert.equal(report.complete, false);
    assert.equal(await archive.count("event"), stored);
  });

  Deno.test(`${program.name}: sync says what is wrong with what it is given, with exit code 2`, async () => {
    const url = "wss://relay.damus.io";
    const mistakes: [string[], RegExp][] = [
      [["nonsense"], /Cannot sync "nonsense".*wss:\/\//],
      [["https://relay.damus.io"], /Cannot sync "https:/],
      [["ws://127.0.0.1:7777"], /not public.*--allow-private/],
      [[url, "--filter", "{"], /--filter is not JSON/],
      [[url, "--filter", '{"kind":1}'], /Unknown filter field "kind"/],
      [[url, "--filter", '{"limit":5}'], /must not have a limit/],
      [[url, "--kinds", "1,x"], /--kinds/],
      [[url, "--since", "soon"], /--since must be/],
      [[url, "--since", "2000", "--until", "1000"], /--until must not be/],
      [[url, "--workers", "0"], /--workers must be/],
      [[], /URL/],
    ];
    await using home = await temporaryDirectory();
    await Promise.all(mistakes.map(async ([args, message]) => {
      const { code, stdout, stderr } = await runProgram(
        program,
        ["sync", ...args],
        { cwd: home.path },
      );
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, message);
      assert.equal(stdout, "");
    }));
  });
}

async function sync(
  program: Program,
  database: string,
  args: readonly string[],
): Promise<ProgramResult> {
  await using home = await temporaryDirectory();
  return await runProgram(program, [
    "sync",
    ...args,
    "--allow-private",
    "--database",
    database,
  ], { cwd: home.path });
}
