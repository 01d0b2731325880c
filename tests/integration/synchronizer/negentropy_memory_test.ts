/**
 * What is remembered of a relay's NIP-77 from one sync to the next.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { NostrEvent } from "../../../src/models/event.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { testRelay } from "../../support/test_relay.ts";

const factory = eventFactory("negentropy memory");
/** In the past hour: each sync looks at all of it again. */
const RECENT = Math.floor(Date.now() / 1_000) - 3_600;

function events(count: number, from = RECENT): NostrEvent[] {
  return Array.from(
    { length: count },
    (_, i) => factory.sign({ createdAt: from + i }),
  );
}

async function supportOf({ sql }: TestArchive): Promise<string | undefined> {
  const [state] = await sql<{ support: string }[]>`
    select state_value #>> '{negentropy,support}' as support from service_state
    where state_type = 'relay-memory'`;
  return state?.support;
}

Deno.test("a list that was whole is noticed when it has outgrown what the relay lists", async () => {
  const first = events(90, RECENT + 1_000);
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: first,
    negentropy: { lists: (matching) => matching.slice(0, 100) },
  });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  assert.equal((await sync()).method, "negentropy");
  assert.equal(await supportOf(archive), "supported");
  const added = [...events(30), ...events(30, RECENT + 2_000)];
  relay.add(added);
  const second = await sync();
  assert.deepEqual(
    [second.stored, second.complete, second.method],
    [60, true, "paging"],
  );
  assert.equal(await supportOf(archive), "unsupported");
  const truth = { relay: relay.relay, events: [...first, ...added] };
  assert.equal(await assertTruthful(archive, truth), 150);
});

Deno.test("a list of exactly what the relay lists at most is noticed when it moves on", async () => {
  const first = events(100, RECENT + 1_000);
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: first,
    negentropy: { lists: (matching) => matching.slice(0, 100) },
  });
  const sync = () => syncOnce({ archive, relay: relay.relay });
  await sync();
  const asked = relay.count("REQ");
  await sync();
  // Questions of the audit: one, or nine where the one of the sync before confirmed nothing.
  const more = relay.count("REQ") - asked;
  assert.ok(more <= 12, `the same list is not doubted twice: ${more}`);
  const added = [...events(20), ...events(20, RECENT + 2_000)];
  relay.add(added);
  const third = await sync();
  assert.deepEqual([third.stored, third.complete], [40, true]);
});

Deno.test("a relay that has known NIP-77 is believed not to only when it is silent twice", async () => {
  let isSilent = false;
  await using archive = await testArchive();
  await using relay = await testRelay({
    events: events(50),
    negentropy: { onMessage: (neg) => isSilent || neg.serve() },
  });
  const config = {
    requests: { idleTimeoutMs: 1_000 },
    negentropy: { probeTimeoutMs: 300 },
  };
  const sync = () => syncOnce({ archive, relay: relay.relay, config });
  await sync();
  assert.equal(await supportOf(archive), "supported");
  isSilent = true;
  assert.equal((await sync()).complete, true);
  assert.equal(await supportOf(archive), "unknown");
  await sync();
  assert.equal(await supportOf(archive), "unsupported");
  const opened = relay.count("NEG-OPEN");
  await sync();
  assert.equal(relay.count("NEG-OPEN"), opened);

  isSilent = false;
  await archive.sql`update service_state set state_value = jsonb_set(
    state_value, '{negentropy,unsupportedAt}', to_jsonb(unix_now() - 604801))`;
  assert.equal((await sync()).method, "negentropy");
  assert.equal(await supportOf(archive), "supported");
});
