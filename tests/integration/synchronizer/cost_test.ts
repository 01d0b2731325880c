import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { EVENTS } from "../../support/misbehaviour.ts";
import { forge } from "../../support/forger.ts";
import { syncOnce } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";

const LIMIT = 100;

Deno.test("a relay that only forges is left after some of it, for this reason", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ onReq: forge });
  const { relay: url } = relay;
  const config = { requests: { limit: LIMIT } };
  const result = await syncOnce({ archive, relay: url, config });
  const { rejected, failure, complete, stored } = result;
  assert.deepEqual({ complete, stored }, { complete: false, stored: 0 });
  assert.deepEqual(failure, {
    code: "protocol",
    detail: "most of what it sends has forged signatures",
  });
  // What was on its way when it was noticed is verified: a queue, and a page for each request that was under way.
  assert.ok(rejected.signature! > 200, `${rejected.signature} verified`);
  assert.ok(rejected.signature! < 5_000, `${rejected.signature} verified`);
});

Deno.test("a relay that floods on when it is told to stop costs a few pages", async () => {
  await using archive = await testArchive();
  const page = Array(50).fill(EVENTS[0]);
  await using relay = await testRelay({
    onReq: async (req) => {
      while (req.isConnected()) await req.events(page);
    },
  });
  const { relay: url } = relay;
  const config = { requests: { limit: LIMIT }, filters: [{ kinds: [1] }] };
  const result = await syncOnce({ archive, relay: url, config });
  const { complete, stored, received } = result;
  assert.deepEqual({ complete, stored }, { complete: false, stored: 1 });
  assert.ok(received < 6 * 2 * LIMIT, `${received} received`);
});
