/**
 * NIP-77 with relays that misbehave: what must be obtained, what may be claimed, what it may cost, and what the next
 * sync has learned.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { testRows } from "../../support/misbehaviour_row.ts";
import {
  EVENTS,
  MISBEHAVIOURS,
} from "../../support/misbehaviours/negentropy.ts";
import { assertTruthful, syncWith } from "../../support/sync.ts";

/** What the questions about claims may cost in one sync: nine, and what they lead to. */
const AUDIT = { requests: 15, received: 400 };

testRows("negentropy", MISBEHAVIOURS, async ({ relay, pool }, misbehaviour) => {
  await using archive = await testArchive();
  const { stored = EVENTS.length, truth: events } = misbehaviour;
  const { config = {}, filter = {}, again = { received: 0, requests: 1 } } =
    misbehaviour;
  const complete = !(misbehaviour.withholds ?? false);
  const sync = () => syncWith(pool, { archive, relay: relay.relay, config });
  const first = await sync();
  assert.deepEqual(
    [first.stored, first.complete, first.method],
    [stored, complete, misbehaviour.method],
    JSON.stringify(first),
  );
  assert.ok(first.gaps.every(({ reason }) => reason === "withheld"));
  assert.equal(await archive.count("event"), stored);
  const opens = await relay.count("NEG-OPEN");
  assert.ok(opens <= misbehaviour.maxOpens, `${opens} comparisons`);
  const { requests } = first;
  const maxRequests = misbehaviour.maxRequests + 2 * AUDIT.requests;
  assert.ok(requests <= maxRequests, `${requests} requests`);
  const truth = { relay: relay.relay, events, filter };
  await assertTruthful(archive, truth);
  const [state] = await archive.sql<{ support: string }[]>`
      select state_value #>> '{negentropy,support}' as support from service_state
      where state_type = 'relay-memory'`;
  assert.equal(state?.support ?? "unknown", misbehaviour.support);

  const second = await sync();
  assert.deepEqual([second.stored, second.complete], [0, complete]);
  const maxReceived = again.received + AUDIT.received;
  assert.ok(second.received <= maxReceived, `${second.received} received`);
  const maxAsked = again.requests + AUDIT.requests;
  assert.ok(second.requests <= maxAsked, `${second.requests} asked`);
  await assertTruthful(archive, truth);
});
