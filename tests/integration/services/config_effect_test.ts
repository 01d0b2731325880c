import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { getPublicKey } from "nostr-tools/pure";
import { SERVICES } from "../../../src/cli/services.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { leafPaths } from "../../../src/core/config/schema_keys.ts";
import type { Service } from "../../../src/core/lifecycle/service.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { mmdbFile } from "../../support/mmdb_file.ts";
import { recordReads } from "../../support/recorded_reads.ts";
import { scriptedDnsServer } from "../../support/scripted_dns_server.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";
import { makeCertificate } from "../../support/tls.ts";

/** Keys that a service leaves to what runs it; their effect is tested there. */
const READ_ELSEWHERE: Readonly<Record<string, string>> = {
  "maxConsecutiveFailures":
    "by repeat() when a cycle fails: tests/unit/core/lifecycle/repeat_test.ts",
  "metrics.enabled":
    "by the command: tests/integration/cli/service_process_test.ts",
  "metrics.host":
    "by the command: tests/integration/cli/service_process_test.ts",
  "metrics.port":
    "by the command: tests/integration/cli/service_process_test.ts",
  "metrics.path":
    "by the command: tests/integration/cli/service_process_test.ts",
};

/** Nothing listens there: relays and proxies that cannot be reached. */
const NOBODY = "127.0.0.1:1";

const OVERLAY_HOSTS = {
  tor: "oxtrdevav64z64yb7x6rjg4ntzqjhedm5b5zjqulugknhzr46ny2qbad.onion",
  i2p: "relay.i2p",
  loki: `${"a".repeat(52)}.loki`,
} as const;

/** Everything that a service can meet: seeds of all networks, published lists, relays that answer and that do not. */
async function neighbourhood() {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const archive = stack.use(await testArchive());
  const relay = stack.use(await testRelay({ events: events() }));
  const list = stack.adopt(publishedList(), (server) => server.shutdown());
  const certificate = await makeCertificate({ names: ["localhost"] });
  const secured = stack.use(
    await testRelay({ certificate, host: "localhost" }),
  );
  const dnsServer = stack.use(await scriptedDnsServer(3));
  const { tor, i2p, loki } = OVERLAY_HOSTS;
  const relays = [
    { url: relay.url, network: "clearnet" },
    { url: secured.url, network: "clearnet" },
    { url: `ws://${NOBODY}`, network: "clearnet" },
    { url: `ws://relay.${tor}`, network: "tor" },
    { url: `ws://relay.${i2p}`, network: "i2p" },
    // Lokinet has no subdomains.
    { url: `ws://${loki}:81`, network: "loki" },
  ] as const;
  await insertRelays(archive.database, relays);
  const seeds = [...Object.values(OVERLAY_HOSTS), NOBODY]
    .map((host) => `ws://${host}`);
  const file = async (name: string, content: string | Uint8Array) => {
    const path = join(directory.path, name);
    const bytes = new TextEncoder();
    await Deno.writeFile(
      path,
      typeof content === "string" ? bytes.encode(content) : content,
    );
    return path;
  };
  const place = { location: { latitude: 52.4, longitude: 4.9 } };
  const mmdbPath = await file(
    "places.mmdb",
    mmdbFile({ "127.0.0.0/8": place, "::1/128": place }, { type: "City" }),
  );
  const filePath = await file("seeds.txt", `${seeds.join("\n")}\n`);
  const secretKeyFile = await file("key", `${"01".repeat(32)}\n`);
  const owned = stack.move();
  return {
    archive,
    configs: configs({
      filePath,
      secretKeyFile,
      mmdbPath,
      listPort: list.addr.port,
      dnsServer: `127.0.0.1:${dnsServer.port}`,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function events() {
  const factory = eventFactory("config effect");
  return Array.from({ length: 20 }, (_, author) => {
    const tags = [["r", `wss://relay${author}.damus.io`]];
    return factory.sign({ author, kind: 10_002, tags });
  });
}

function publishedList() {
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve(listen, () => Response.json(["wss://nos.lol"]));
}

interface Place {
  readonly filePath: string;
  readonly secretKeyFile: string;
  readonly mmdbPath: string;
  readonly dnsServer: string;
  readonly listPort: number;
}

/** What the files of the services would say. */
function configs(
  { filePath, secretKeyFile, mmdbPath, dnsServer, listPort }: Place,
): Map<string, unknown> {
  const overlay = { enabled: true, proxyUrl: `socks5://${NOBODY}` };
  const networks = { tor: overlay, i2p: overlay, loki: overlay };
  const dialling = { allowPrivate: true, networks };
  const sources = [`127.0.0.1:${listPort}`, ...Object.values(OVERLAY_HOSTS)]
    .map((host) => ({ url: `http://${host}/` }));
  const keys = { secretKeyFile };
  const nobody = [`ws://${NOBODY}`];
  const publish = { relays: nobody, profile: { name: "Nobody" } };
  const operators = [getPublicKey(new Uint8Array(32).fill(2))];
  const alerts = { watch: nobody, operators, afterFailures: 1 };
  return new Map<string, unknown>(Object.entries({
    seeder: { filePath, allowPrivate: true },
    finder: { ...dialling, api: { sources, requestDelayMs: 0 } },
    validator: { ...dialling, intervalSeconds: 1 },
    monitor: {
      ...dialling,
      keys,
      publish,
      alerts,
      allowInsecureTls: true,
      checks: { dns: { servers: [dnsServer] } },
      mmdb: { cityPath: mmdbPath, asnPath: mmdbPath },
    },
    synchronizer: {
      ...dialling,
      keys,
      workers: 1,
      tiers: {
        high: { relays: [`ws://${NOBODY}`] },
        medium: { relays: [`ws://relay.${OVERLAY_HOSTS.i2p}`] },
        low: { relays: [`ws://${OVERLAY_HOSTS.loki}:81`] },
      },
      relays: [{ url: `ws://relay.${OVERLAY_HOSTS.tor}` }],
    },
  }));
}

Deno.test("every key of every service's configuration is read by a cycle that meets all there is", async () => {
  await using place = await neighbourhood();
  const unread: string[] = [];
  for (const service of SERVICES) {
    const read = new Set<string>();
    const paths = leafPaths(service.config);
    const observed: Service = {
      ...service,
      run: (ctx) => {
        const config = recordReads(ctx.config, { read, paths });
        return service.run({ ...ctx, config });
      },
    };
    await runOnce(observed, place.archive.database, {
      config: place.configs.get(service.name),
    });
    for (const path of paths.map((keys) => keys.join("."))) {
      if (!read.has(path) && !(path in READ_ELSEWHERE)) {
        unread.push(`${service.name}: ${path}`);
      }
    }
  }
  deepStrictEqual(unread, []);
});

Deno.test("recordReads() remembers what is read, at any depth, through a clone and without a value", () => {
  const read = new Set<string>();
  const config: {
    a: number;
    b: { c: number; d: { e: number }[] };
    x?: number;
  } = recordReads({ a: 1, b: { c: 2, d: [{ e: 3 }] } }, {
    read,
    paths: [["a"], ["b", "c"], ["b", "d", "*", "e"], ["x"]],
  });
  equal(config.b.d[0]?.e, 3);
  equal(config.x, undefined);
  deepStrictEqual([...read].sort(), ["b", "b.d", "b.d.*", "b.d.*.e", "x"]);
  equal(structuredClone(config).b.c, 2);
  ok(read.has("a") && read.has("b.c"));
});
