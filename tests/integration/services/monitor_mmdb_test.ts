import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  MmdbFile,
  type MmdbFileOptions,
} from "../../../src/services/monitor/mmdb/mmdb_file.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { never, testDialer } from "../../support/dialing.ts";
import { mmdbFile } from "../../support/mmdb_file.ts";
import { addRelay, documentsOf } from "../../support/monitor.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";
import type { HttpReply } from "../../support/test_relay_script.ts";
import { makeCertificate } from "../../support/tls.ts";

const DAY_MS = 86_400_000;

function file(country: string, builtAt = new Date()): Uint8Array {
  const entry = { country: { iso_code: country } };
  return mmdbFile({ "127.0.0.0/8": entry }, { type: "Test", builtAt });
}

/** A server with these files, and a place for one of them. */
async function place(
  replies: Readonly<Record<string, HttpReply>>,
  { secure = false } = {},
) {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const certificate = await makeCertificate({ names: ["127.0.0.1"] });
  const server = stack.use(
    await testRelay({
      ...(secure ? { certificate } : {}),
      http: ({ path }) => replies[path] ?? { status: 404 },
    }),
  );
  const path = join(directory.path, "city.mmdb");
  const dialer = testDialer({ caCertificates: [certificate.ca] });
  const owned = stack.move();
  return {
    path,
    server,
    directory: directory.path,
    open: (name: string, options: Partial<MmdbFileOptions> = {}) => {
      const mmdb = new MmdbFile({
        path,
        url: urlOf(server, name),
        refreshSeconds: 86_400,
        maxAgeDays: 30,
        maxBytes: 100_000,
        timeoutMs: 5_000,
        ...options,
      });
      return { mmdb, fetch: () => mmdb.fetch(dialer, never) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function urlOf({ url }: TestRelay, name: string): string {
  return `${url.replace(/^ws/, "http")}${name}`;
}

function countryIn({ database }: MmdbFile): unknown {
  if (!database.ok) return database.failure.detail;
  return Object(database.value.lookUp("127.0.0.1")?.fields["country"]).iso_code;
}

for (const secure of [false, true]) {
  const scheme = secure ? "HTTPS" : "HTTP";
  Deno.test(`MmdbFile fetches a file over ${scheme}, packed or not, and opens it where it puts it`, async () => {
    await using here = await place({
      "/plain.mmdb": { status: 200, body: file("NL") },
      "/packed.mmdb.gz": { status: 200, body: gzipSync(file("FR")) },
    }, { secure });
    for (
      const [name, country] of [["plain.mmdb", "NL"], ["packed.mmdb.gz", "FR"]]
    ) {
      const { mmdb, fetch } = here.open(`/${name}`);
      assert.equal((await fetch()).ok, true);
      await mmdb.look();
      assert.equal(countryIn(mmdb), country);
      assert.equal(await mmdb.isDue(), false);
    }
    const names = [...Deno.readDirSync(here.directory)].map(({ name }) => name);
    assert.deepEqual(names, ["city.mmdb"], "no draft is left");
  });
}

Deno.test("MmdbFile keeps the old file when what it fetches is no good, and says why", async () => {
  const old = new Date(Date.now() - 40 * DAY_MS);
  const bomb = gzipSync(new Uint8Array(1_000_000));
  await using here = await place({
    "/html.mmdb": { status: 200, body: "<html>" },
    "/cut.mmdb.gz": { status: 200, body: gzipSync(file("FR")).subarray(0, 99) },
    "/bomb.mmdb.gz": { status: 200, body: bomb },
    "/large.mmdb": { status: 200, body: new Uint8Array(200_000) },
    "/old.mmdb": { status: 200, body: file("FR", old) },
    "/moved.mmdb": {
      status: 302,
      headers: { location: "http://127.0.0.2:1/x.mmdb" },
    },
  });
  await Deno.writeFile(here.path, file("NL"));
  const reasons: Readonly<Record<string, RegExp>> = {
    "/html.mmdb": /^The file is no MMDB database$/,
    "/cut.mmdb.gz": /^The file is not gzip, or cut$/,
    "/bomb.mmdb.gz": /larger than 100000 bytes when unpacked/,
    "/large.mmdb": /^too-large: /,
    "/old.mmdb": /must not be older than 30 days: it is 40/,
    "/moved.mmdb": /redirect leads to another host/,
    "/missing.mmdb": /^The answer is 404, not 200$/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    const { mmdb, fetch } = here.open(name);
    const fetched = await fetch();
    assert(!fetched.ok, name);
    assert.match(fetched.failure.detail, reason);
    await mmdb.look();
    assert.equal(countryIn(mmdb), "NL");
  }
});

Deno.test("MmdbFile opens a file anew when it changes, and knows one that is missing, broken or too old", async () => {
  await using here = await place({});
  const { mmdb } = here.open("/", { url: undefined });
  assert.equal(await mmdb.look(), true);
  assert.match(String(countryIn(mmdb)), /there is no such file/);
  assert.equal(await mmdb.look(), false, "said once");
  await Deno.writeFile(here.path, file("NL"));
  assert.equal(await mmdb.look(), true);
  assert.equal(countryIn(mmdb), "NL");
  assert.equal(await mmdb.look(), false);
  await Deno.writeTextFile(here.path, "half a fi");
  await mmdb.look();
  assert.equal(countryIn(mmdb), "The file is no MMDB database");
  await Deno.writeFile(
    here.path,
    file("FR", new Date(Date.now() - 40 * DAY_MS)),
  );
  await mmdb.look();
  assert.match(String(countryIn(mmdb)), /older than 30 days: it is 40/);
  assert.equal(await mmdb.isDue(), false, "there is nowhere to fetch it from");
  const ageless = here.open("/", { maxAgeDays: null }).mmdb;
  await ageless.look();
  assert.equal(countryIn(ageless), "FR");
  assert.equal(await ageless.isDue(), false);
  await Deno.utime(here.path, new Date(), new Date(Date.now() - 2 * DAY_MS));
  assert.equal(await ageless.isDue(), true);
});

Deno.test("monitor fetches its MMDB files, and one that cannot be had costs its own check only", async () => {
  await using archive = await testArchive();
  await using here = await place({
    "/city.mmdb": { status: 200, body: file("NL") },
  });
  await using relay = await testRelay();
  const id = await addRelay(archive, relay.url);
  const { log, metric } = await runOnce(monitor, archive.database, {
    config: {
      allowPrivate: true,
      mmdb: {
        cityPath: here.path,
        cityUrl: urlOf(here.server, "/city.mmdb"),
        asnPath: join(here.directory, "asn.mmdb"),
        asnUrl: urlOf(here.server, "/asn.mmdb"),
      },
    },
  });
  const documents = await documentsOf(archive, id);
  const { data } = Object(documents.get("nip66_geo"));
  assert.equal(data.geo_country, "NL");
  assert(!documents.has("nip66_net") && documents.has("nip66_http"));
  const warnings = log.filter(({ level }) => level === "warn")
    .map(({ msg, message, file, reason }) => [msg ?? message, file, reason]);
  assert.deepEqual(warnings.at(-1), [
    "MMDB file not fetched, the old one stays",
    "asn",
    "The answer is 404, not 200",
  ]);
  const file_ = { file: "city" };
  assert((await metric("monitor_mmdb_age_seconds", file_)) < 60);
});
