/**
 * `bigbrotr check` from the command line: what it takes, what it says, and how it ends.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { mmdbFile } from "../support/mmdb_file.ts";
import { type Program, programs, runProgram } from "../support/program.ts";
import { scriptedDnsServer } from "../support/scripted_dns_server.ts";
import { socksProxy } from "../support/socks.ts";
import { temporaryDirectory } from "../support/temporary_directory.ts";
import { testRelay } from "../support/test_relay.ts";
import { makeCertificate } from "../support/tls.ts";

const KEY = "05".repeat(32);
const INFO = {
  status: 200,
  headers: { "content-type": "application/nostr+json" },
  body: JSON.stringify({
    name: "Test \x1b[31mrelay",
    supported_nips: [1, 11],
    limitation: { payment_required: true, min_pow_difficulty: 4 },
  }),
};

for (const program of programs()) {
  Deno.test(`${program.name}: check --json prints every check, and the event a monitor would publish`, async () => {
    await using relay = await testRelay({ http: INFO });
    await using server = await scriptedDnsServer(3);
    const { code, stdout } = await check(program, [
      relay.url,
      "--json",
      "--secret-key-env",
      "TEST_KEY",
      "--dns-server",
      `127.0.0.1:${server.port}`,
    ]);
    assert.equal(code, 0);
    const { url, online, checks, events, ...rest } = JSON.parse(stdout);
    assert.deepEqual([url, online, rest], [relay.url, true, {}]);
    const names = ["rtt", "nip11", "tls", "dns", "geo", "net", "http"];
    assert.deepEqual(Object.keys(checks), names);
    for (const name of names) {
      assert.deepEqual(Object.keys(checks[name]), ["data", "logs"], name);
    }
    assert.equal(checks.rtt.logs.write_success, true);
    assert.equal(checks.nip11.data.name, "Test \x1b[31mrelay");
    assert.deepEqual(checks.dns.data, { dns_ips: ["127.0.0.1"] });
    assert.match(checks.geo.logs.reason, /--city-database/);
    const [event] = events;
    assert.deepEqual(Object.keys(event).sort(), [
      "content",
      "created_at",
      "kind",
      "pubkey",
      "tags",
    ]);
    assert.equal(event.kind, 30_166);
    assert.deepEqual(event.tags[0], ["d", `${relay.url}/`]);
    assert.deepEqual(
      event.tags.filter(([name]: string[]) => name === "R").map((
        [, to]: string[],
      ) => to),
      ["!auth", "!payment", "!writes", "pow"],
    );
    assert.equal(relay.count("EVENT"), 1);
  });

  Deno.test(`${program.name}: check says on a line each what a person wants to know, and nothing that steers a terminal`, async () => {
    const certificate = await makeCertificate({ names: ["127.0.0.1"] });
    await using relay = await testRelay({ http: INFO });
    await using secured = await testRelay({ certificate });
    const deadUrl = await urlOfNobody();
    const { code, stdout } = await check(program, [
      relay.url,
      secured.url,
      deadUrl,
      "--only",
      "rtt,nip11,tls",
    ]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^${relay.url}  online$`, "m"));
    assert.match(stdout, new RegExp(`^${secured.url}  offline$`, "m"));
    assert.match(stdout, new RegExp(`^${deadUrl}  offline$`, "m"));
    assert.match(stdout, /^ {2}rtt {4}open +\d+ ms$/m);
    assert.match(stdout, /^ {2}nip11 {2}name +Test {2}\[31mrelay$/m);
    assert.match(stdout, /^ {2}tls {4}certificate +not valid$/m);
    assert.match(stdout, /pay +yes \(its NIP-11 says\)$/m);
    assert.match(stdout, /^ {2}rtt {4}open +refused: Nothing listens/m);
    assert(!stdout.includes("\x1b"));
  });

  Deno.test(`${program.name}: check looks places up, and a file that is no database costs that check only`, async () => {
    await using folder = await temporaryDirectory();
    const cities = join(folder.path, "cities.mmdb");
    const country = { iso_code: "NL", names: { en: "Netherlands" } };
    await Deno.writeFile(
      cities,
      mmdbFile({ "127.0.0.0/8": { country } }, { type: "Cities" }),
    );
    await Deno.writeTextFile(join(folder.path, "asns.mmdb"), "<html>");
    await using relay = await testRelay();
    const { code, stdout } = await check(program, [
      relay.url,
      "--json",
      "--only",
      "geo,net,http",
      "--city-database",
      cities,
      "--asn-database",
      join(folder.path, "asns.mmdb"),
    ]);
    assert.equal(code, 0);
    const { online, checks, events } = JSON.parse(stdout);
    assert.equal(online, true, "a handshake tells where rtt does not");
    assert.deepEqual(Object.keys(checks), ["geo", "net", "http"]);
    assert.equal(checks.geo.data.geo_country, "NL");
    assert.equal(checks.net.logs.reason, "The file is no MMDB database");
    assert.deepEqual(events, []);
  });

  Deno.test(`${program.name}: check exits 1 when no relay is online, 2 when the command line is wrong`, async () => {
    const deadUrl = await urlOfNobody();
    const offline = await check(program, [deadUrl, "--only", "rtt", "--json"]);
    assert.equal(offline.code, 1);
    assert.deepEqual(JSON.parse(offline.stdout).events, []);
    const wrong: [string[], RegExp][] = [
      [["http://relay.test"], /begins with ws:\/\/ or wss:\/\//],
      [[deadUrl, "--only", "rtt,everything"], /--only must be a list of/],
      [[deadUrl, "--proxy", "127.0.0.1"], /--proxy must be socks5:/],
      [[deadUrl, "--dns-server", "dns.test"], /--dns-server must be an IP/],
      [[deadUrl, "--timeout", "0"], /--timeout must be a whole number/],
      [[deadUrl, "--secret-key-env", "NO_SUCH"], /NO_SUCH is not set/],
      [
        [deadUrl, "--city-database", "/no/such.mmdb"],
        /--city-database: cannot read \/no\/such\.mmdb: there is no such file/,
      ],
      [[], /missing required argument 'URL/],
    ];
    for (const [args, explanation] of wrong) {
      const { code, stderr, stdout } = await check(program, args);
      assert.match(stderr, explanation);
      assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    }
  });

  Deno.test(`${program.name}: check --proxy reaches an onion through it, and asks no resolver about it`, async () => {
    const onion = `${"b".repeat(56)}.onion`;
    await using relay = await testRelay({ http: INFO });
    await using proxy = await socksProxy({ names: [onion] });
    await using server = await scriptedDnsServer(3);
    const { code, stdout } = await check(program, [
      `ws://${onion}:${relay.port}`,
      "--json",
      "--proxy",
      proxy.url,
      "--dns-server",
      `127.0.0.1:${server.port}`,
    ]);
    const { online, checks, events } = JSON.parse(stdout);
    assert.deepEqual([code, online], [0, true]);
    assert.equal(checks.nip11.logs.success, true);
    assert.match(checks.dns.logs.reason, /^proxy: /);
    assert.equal(server.asked(), 0);
    assert.deepEqual(events[0].tags.slice(0, 2), [
      ["d", `ws://${onion}:${relay.port}/`],
      ["n", "tor"],
    ]);
    assert(proxy.asked.every((asked) => asked === `${onion}:${relay.port}`));
  });

  Deno.test(`${program.name}: check neither dials nor asks about a relay whose operator opted out`, async () => {
    await using folder = await temporaryDirectory();
    await using relay = await testRelay({ http: INFO });
    await using server = await scriptedDnsServer(3);
    const config = join(folder.path, "monitor.yaml");
    await Deno.writeTextFile(config, "optOut: [localhost]\n");
    const { code, stdout } = await check(program, [
      `ws://localhost:${relay.port}`,
      "--json",
      "--config",
      config,
      "--dns-server",
      `127.0.0.1:${server.port}`,
    ]);
    const { online, checks } = JSON.parse(stdout);
    assert.deepEqual([code, online], [1, false]);
    assert.match(checks.nip11.logs.reason, /^opted-out: localhost /);
    assert.match(checks.dns.logs.reason, /^opted-out: localhost /);
    assert.deepEqual([server.asked(), relay.requests.length], [0, 0]);
  });

  Deno.test(`${program.name}: check refuses a private address unless it is told otherwise`, async () => {
    const { code, stderr } = await run(program, ["check", "ws://127.0.0.1:9"]);
    assert.equal(code, 2);
    assert.match(stderr, /Cannot check "ws:\/\/127\.0\.0\.1:9"/);
  });
}

/** Where a relay was. */
async function urlOfNobody(): Promise<string> {
  await using relay = await testRelay();
  return relay.url;
}

function check(program: Program, args: readonly string[]) {
  const limits = args.includes("--timeout") ? [] : ["--timeout", "20"];
  return run(program, ["check", ...args, "--allow-private", ...limits]);
}

async function run(program: Program, args: readonly string[]) {
  await using folder = await temporaryDirectory();
  const env = { TEST_KEY: KEY };
  return await runProgram(program, args, { cwd: folder.path, env });
}
