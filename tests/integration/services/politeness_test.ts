import assert from "node:assert/strict";
import { insertCandidates } from "../../../src/archive/candidates.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { registrableDomain } from "../../../src/models/relay_url.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import { validator } from "../../../src/services/validator/mod.ts";
import { Politeness } from "../../../src/transport/politeness.ts";
import { runOnce, testArchive } from "../../support/archive.ts";
import { relayAt } from "../../support/dialing.ts";
import { testRelay } from "../../support/test_relay.ts";

Deno.test("services with common politeness open no more sockets to an address than one of them alone", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  const at = (path: string) => relayAt(`${relay.url}/${path}`);
  await insertRelays(archive.database, ["a", "b", "c"].map(at));
  const hints = ["d", "e", "f"].map((path) => {
    const candidate = at(path);
    const domain = registrableDomain(candidate);
    return { ...candidate, domain, source: "seed" as const };
  });
  const free = { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 };
  await insertCandidates(archive.database, hints, free);

  const politeness = new Politeness({ maxSocketsPerAddress: 1 });
  const options = { politeness, config: { allowPrivate: true } };
  await Promise.all([
    runOnce(validator, archive.database, options),
    runOnce(monitor, archive.database, options),
  ]);
  assert.equal(relay.peak, 1);
  const paths = new Set(relay.requests.map(({ path }) => path));
  for (const path of "abcdef") assert(paths.has(`/${path}`), path);
});

Deno.test("synchronizer counts its connections on the limits of the process", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay();
  await insertRelays(archive.database, [relay.relay]);
  const politeness = new Politeness({ maxNewConnectionsPerMinute: 6 });
  const config = { allowPrivate: true, workers: 1 };
  await runOnce(synchronizer, archive.database, { politeness, config });
  assert(politeness.rate.take(1) > 0, "the only one at once is used up");
});
