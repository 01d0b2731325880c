/**
 * Many URLs at one address, beside relays that have theirs for themselves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertCandidates } from "../../../src/archive/candidates.ts";
import { countOutbox } from "../../../src/archive/outbox.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import type {
  CommonConfig,
  Service,
} from "../../../src/core/lifecycle/service.ts";
import { registrableDomain } from "../../../src/models/relay_url.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import { validator } from "../../../src/services/validator/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { relayAt } from "../../support/dialing.ts";
import { monitorConfig } from "../../support/monitor.ts";
import { socksProxy } from "../../support/socks.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const CROWD = 40;
const OTHERS = 8;
const SLOW_MS = 100;

/** Fewer at once than there are in the crowd: once, it had them all. */
const PLACES = 12;

/** What is no part of the crowd, which makes its sync shorter. */
const SYNC = {
  negentropy: { enabled: false },
  audit: { requestsPerSync: 0 },
  workers: 1,
};

Deno.test("validator: a crowd at one address delays nobody, and has its turn", async () => {
  await besideCrowd(validator, {}, sameAuthority);
  await besideCrowd(validator, {}, sameAddress);
});

Deno.test("monitor: a crowd at one address delays nobody, and has its turn", async () => {
  await besideCrowd(monitor, {}, sameAuthority);
  await besideCrowd(monitor, {}, sameAddress);
});

Deno.test("synchronizer: a crowd at one address delays nobody, and has its turn", async () => {
  await besideCrowd(synchronizer, SYNC, sameAuthority);
  await besideCrowd(synchronizer, SYNC, sameAddress);
});

Deno.test("publication: a crowd at one address delays nobody, and has its turn", async () => {
  await using archive = await testArchive();
  await using stack = new AsyncDisposableStack();
  const asked: string[] = [];
  const from = (who: string) => () => {
    asked.push(who);
    return [true, ""] as const;
  };
  const crowd = stack.use(
    await testRelay({ latencyMs: 50, onEvent: from("crowd") }),
  );
  const others = await Promise.all(
    Array.from({ length: OTHERS }, () => testRelay({ onEvent: from("other") })),
  );
  for (const other of others) stack.use(other);
  for (const layout of [sameAuthority, sameAddress]) {
    await using place = await layout(crowd, others);
    const relays = [...place.crowd, ...place.others];
    await using publishing = await monitorConfig({
      relays,
      maxTargets: 6,
      announcement: { enabled: false },
    }, {
      networks: { clearnet: { proxyUrl: place.proxyUrl } },
    });
    asked.length = 0;
    await runOnce(monitor, archive.database, publishing);
    const { pending, accepted } = await countOutbox(archive.database, null);
    assert.deepEqual([pending, accepted], [0, relays.length]);
    assertUndelayed(asked);
    await archive.sql`truncate outbox, outbox_delivery, outbox_target`;
  }
  assert(crowd.peak <= 2, `${crowd.peak} sockets at one address`);
});

async function besideCrowd<C extends CommonConfig>(
  service: Service<C>,
  own: Readonly<Record<string, unknown>>,
  layout: Layout,
): Promise<void> {
  await using archive = await testArchive();
  await using stack = new AsyncDisposableStack();
  /** Which URL was asked, in their order. */
  const asked: string[] = [];
  /** URLs that are due when the crowd has been taken up. */
  const late: string[] = [];
  const crowd = stack.use(
    await testRelay({
      onReq: async (req) => {
        asked.push("crowd");
        const due = late.splice(0);
        if (due.length > 0) await fill(archive, service.name, due);
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        await req.serve();
      },
    }),
  );
  const others: TestRelay[] = [];
  for (let i = 0; i < OTHERS; i++) {
    const onReq = async (req: { serve(): Promise<void> }) => {
      asked.push("other");
      await req.serve();
    };
    others.push(stack.use(await testRelay({ onReq })));
  }
  const place = stack.use(await layout(crowd, others));
  late.push(...place.others);
  await fill(archive, service.name, place.crowd);
  const { proxyUrl } = place;
  await runOnce(service, archive.database, {
    config: {
      ...own,
      allowPrivate: true,
      networks: { clearnet: { maxConnections: PLACES, proxyUrl } },
    },
  });

  const met = crowd.requests.map(({ headers, path }) => headers["host"] + path);
  assert.equal(new Set(met).size, CROWD, "each of the crowd had its turn");
  assert(crowd.peak <= 2, `${crowd.peak} sockets at one address`);
  assertUndelayed(asked);
}

/** The others had all that they were to have before a quarter of the crowd had. */
function assertUndelayed(asked: readonly string[]): void {
  const asks = asked.filter((who) => who === "other").length;
  assert(asks >= OTHERS, `${asks} requests to ${OTHERS} others`);
  const last = asked.lastIndexOf("other");
  const before = asked.slice(0, last).filter((who) => who === "crowd").length;
  const all = asked.filter((who) => who === "crowd").length;
  assert(
    before < all / 4,
    `${before} of ${all} requests to the crowd came before the last to others`,
  );
}

/** The URLs at which relays are met. */
interface Place extends AsyncDisposable {
  readonly crowd: readonly string[];
  readonly others: readonly string[];
  readonly proxyUrl?: string;
}

type Layout = (
  crowd: TestRelay,
  others: readonly TestRelay[],
) => Promise<Place>;

/** The crowd are paths of one host and port: who they are shows in their URLs. */
function sameAuthority(
  { url }: TestRelay,
  others: readonly TestRelay[],
): Promise<Place> {
  return Promise.resolve({
    crowd: Array.from({ length: CROWD }, (_, i) => `${url}/${i}`),
    others: others.map(({ url }) => url),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** Each of the crowd has a port of its own at one host: that they share an address shows when they are dialled. */
async function sameAddress(
  crowd: TestRelay,
  others: readonly TestRelay[],
): Promise<Place> {
  const hosts = others.map((_, i) => `other${i}.example`);
  const proxy = await socksProxy({
    ports: {
      "crowd.example": crowd.port,
      ...Object.fromEntries(hosts.map((host, i) => [host, others[i]!.port])),
    },
  });
  return {
    crowd: Array.from(
      { length: CROWD },
      (_, i) => `ws://crowd.example:${4_000 + i}`,
    ),
    others: hosts.map((host) => `ws://${host}:4000`),
    proxyUrl: proxy.url,
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

async function fill(
  { database }: TestArchive,
  service: string,
  urls: readonly string[],
): Promise<void> {
  const relays = urls.map(relayAt);
  if (service !== "validator") {
    await insertRelays(database, relays);
    return;
  }
  const hints = relays.map((relay) => ({
    ...relay,
    domain: registrableDomain(relay),
    source: "seed" as const,
  }));
  const free = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };
  await insertCandidates(database, hints, free);
}
