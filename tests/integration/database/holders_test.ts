import assert from "node:assert/strict";
import {
  claimCandidates,
  insertCandidates,
} from "../../../src/archive/candidates.ts";
import {
  listHolders,
  releaseHolders,
} from "../../../src/archive/processes/holders.ts";
import { leaseRelays } from "../../../src/archive/leases.ts";
import { addToOutbox, claimOutbox } from "../../../src/archive/outbox.ts";
import { insertRelays } from "../../../src/archive/relays.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";

const factory = eventFactory("holders_test");
const SENDER = "ab".repeat(32);

testOnEachServer(
  "releaseHolders() frees candidates, relays and outboxes of these, and of nobody else",
  async ({ database, sql }) => {
    for (const name of ["a", "b"]) {
      const url = `wss://${name}.example`;
      await insertCandidates(database, [{
        url: `wss://candidate-${name}.example`,
        network: "clearnet",
        host: `candidate-${name}.example`,
        domain: `candidate-${name}.example`,
        source: "e-tag",
      }], { maxPerHost: 0, maxPerDomain: 0, maxPerAuthor: 0 });
      await insertRelays(database, [{ url, network: "clearnet" }]);
      const event = factory.sign();
      await addToOutbox(database, SENDER, [{
        event,
        d: event.id,
        createdAt: 1,
        expiresAt: 4_000_000_000,
        fingerprint: event.id,
        relays: [url],
      }]);
      const claim = { networks: ["clearnet"], limit: 1, holder: name } as const;
      await claimCandidates(database, { ...claim, claimSeconds: 900 });
      const lease = { ...claim, leaseSeconds: 900, service: "synchronizer" };
      await leaseRelays(database, lease);
      const round = { holder: name, leaseSeconds: 900, limit: 1 };
      await claimOutbox(database, SENDER, round);
    }
    const held = () =>
      sql`select 'candidate' as what, url as name from candidate
          where claimed_until > 0
        union all select 'relay', url from relay_lease join relay on id = relay_id
          where claimed_until > 0
        union all select 'outbox', relay_url from outbox_target
          where claimed_until > 0
        order by 1, 2`;
    assert.equal((await held()).length, 6);
    assert.deepEqual((await listHolders(database)).toSorted(), ["a", "b"]);

    assert.equal(await releaseHolders(database, ["a", "nobody"]), 3);
    assert.deepEqual(await listHolders(database), ["b"]);
    assert.deepEqual((await held()).map(({ what, name }) => [what, name]), [
      ["candidate", "wss://candidate-b.example"],
      ["outbox", "wss://b.example"],
      ["relay", "wss://b.example"],
    ]);
    assert.equal(await releaseHolders(database, ["a"]), 0);
  },
);
