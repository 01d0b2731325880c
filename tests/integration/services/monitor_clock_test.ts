import assert from "node:assert/strict";
import { monitor } from "../../../src/services/monitor/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import { addRelay, reply } from "../../support/monitor.ts";
import { shiftClock } from "../../support/shifted_clock.ts";
import { testRelay } from "../../support/test_relay.ts";

const CONFIG = {
  allowPrivate: true,
  networks: { clearnet: { maxConnections: 4, timeoutMs: 5_000 } },
  schedule: { everySeconds: 600, jitter: 0 },
};

const DAY = 86_400;

for (const days of [30, -30, 3 * 365]) {
  Deno.test(`monitor on a machine whose clock is ${days} days off checks, schedules and keeps by the database's`, async () => {
    await using archive = await testArchive();
    await using relay = await testRelay({ http: reply({ name: "A relay" }) });
    await addRelay(archive, relay.url);
    const run = () => runOnce(monitor, archive.database, { config: CONFIG });
    {
      using _clock = shiftClock(days * DAY);
      const { log, metric } = await run();
      assert.deepEqual(
        log.filter(({ message }) => message === DIFFERS).map(({ level }) =>
          level
        ),
        ["warn"],
      );
      const skew = await metric("clock_skew_seconds");
      assert.ok(Math.abs(skew - days * DAY) < 5, `${skew} s`);
      await assertNow(archive);
      // It looks at its old data again, and finds none.
      await archive
        .sql`update service_state set state_value = '{"startedAt": 0}'
        where state_key = 'retention'`;
      const again = await run();
      const deleted = again.log.find(({ message }) =>
        message === "old data deleted"
      );
      assert.deepEqual([deleted?.["checks"], deleted?.["checkHours"]], [0, 0]);
    }
    assert.equal(await archive.count("relay_check"), 1, "not due again yet");
    await archive.sql`update relay_lease set due_at = unix_now()`;
    await archive.sql`update relay_check set checked_at = checked_at - 5`;
    await archive.sql`update relay_state
      set last_checked_at = last_checked_at - 5`;
    const right = await run();
    assert.equal(right.log.some(({ message }) => message === DIFFERS), false);
    assert.equal(await archive.count("relay_check"), 2);
    await assertNow(archive);
  });
}

Deno.test("monitor looks again at relays, documents and old data that a wrong clock has put off", async () => {
  await using archive = await testArchive();
  await using relay = await testRelay({ http: reply({ name: "A relay" }) });
  await addRelay(archive, relay.url);
  const run = () => runOnce(monitor, archive.database, { config: CONFIG });
  await run();
  // As a monitor whose clock was a month ahead left it.
  await archive.sql`update relay_lease set due_at = due_at + 30 * 86400,
    memory = jsonb_set(memory, '{checks,nip11,dueAt}',
      to_jsonb((memory #>> '{checks,nip11,dueAt}')::int8 + 30 * 86400))`;
  await archive.sql`update relay_check set checked_at = checked_at - 5`;
  await archive
    .sql`update relay_state set last_checked_at = last_checked_at - 5`;
  await archive.sql`update service_state
    set state_value = jsonb_build_object('startedAt', unix_now() + 30 * 86400)
    where state_key = 'retention'`;
  const { log, metric } = await run();
  assert.equal(await archive.count("relay_check"), 2);
  const nip11 = { check: "nip11", network: "clearnet", outcome: "ok" };
  assert.equal(await metric("monitor_checks_total", nip11), 1);
  assert.ok(log.some(({ message }) => message === "old data deleted"));
  await assertNow(archive);
});

const DIFFERS = "clock differs from the database's";

/** What is kept of relays is of now, and what is due is due within a day. */
async function assertNow({ sql }: TestArchive): Promise<void> {
  const [row] = await sql`
    select (select max(unix_now() - checked_at)::int from relay_check) as checked,
      (select max(abs(unix_now() - generated_at))::int from relay_metadata) as generated,
      (select (due_at - unix_now())::int from relay_lease) as due,
      (select max((memory #>> array['checks', name, 'dueAt'])::int8 - unix_now())::int
        from relay_lease, jsonb_object_keys(memory -> 'checks') as name) as document,
      (select abs(unix_now() - (state_value ->> 'startedAt')::int8)::int
        from service_state where state_key = 'retention') as retention`;
  const { checked, generated, due, document, retention } = row!;
  assert.ok(checked >= 0 && checked < 120, `checked ${checked} s ago`);
  assert.ok(generated < 120, `documents ${generated} s off`);
  assert.ok(due > 400 && due <= 600, `due in ${due} s`);
  assert.ok(document > 0 && document <= DAY, `document due in ${document} s`);
  assert.ok(retention < 120, `retention noted ${retention} s off`);
}
