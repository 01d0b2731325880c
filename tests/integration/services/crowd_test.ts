/**
 * Many URLs at one address, beside relays that have theirs for themselves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { insertCandidates } from "../../../src/archive/candidates.ts";
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
import { testRelay } from "../../support/test_relay.ts";

const CROWD = 40;
const OTHERS = 8;
const SLOW_MS = 150;

/** Fewer at once than there are in the crowd: once, it had them all. */
const CONFIG = {
  allowPrivate: true,
  networks: { clearnet: { maxConnections: 12 } },
};

Deno.test("validator: a crowd at one address delays nobody, and has its turn", async () => {
  await besideCrowd(validator, CONFIG);
});

Deno.test("monitor: a crowd at one address delays nobody, and has its turn", async () => {
  await besideCrowd(monitor, CONFIG);
});

Deno.test("synchronizer: a crowd at one address delays nobody, and has its turn", async () => {
  const negentropy = { enabled: false };
  await besideCrowd(synchronizer, { ...CONFIG, negentropy, workers: 1 });
});

async function besideCrowd<C extends CommonConfig>(
  service: Service<C>,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  await using archive = await testArchive();
  await using stack = new AsyncDisposableStack();
  /** Which URL was asked, in their order. */
  const asked: string[] = [];
  const others: string[] = [];
  const crowd = stack.use(
    await testRelay({
      onReq: async (req) => {
        asked.push("crowd");
        // The others are due when the crowd has been taken up.
        const late = others.splice(0);
        if (late.length > 0) await fill(archive, service.name, late);
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        await req.serve();
      },
    }),
  );
  const urls = Array.from({ length: CROWD }, (_, i) => `${crowd.url}/${i}`);
  for (let i = 0; i < OTHERS; i++) {
    const onReq = async (req: { serve(): Promise<void> }) => {
      asked.push("other");
      await req.serve();
    };
    others.push(stack.use(await testRelay({ onReq })).url);
  }
  await fill(archive, service.name, urls);
  await runOnce(service, archive.database, { config });

  const paths = new Set(crowd.requests.map(({ path }) => path));
  assert.equal(paths.size, CROWD, "each of the crowd had its turn");
  assert(crowd.peak <= 2, `${crowd.peak} sockets at one address`);
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
