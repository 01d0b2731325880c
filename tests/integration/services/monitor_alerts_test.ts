/**
 * What operators hear of the relays they watch: read with their own keys, by somebody else's code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { unwrapEvent } from "nostr-tools/nip17";
import { npubEncode } from "nostr-tools/nip19";
import { finalizeEvent, getPublicKey } from "nostr-tools/pure";
import { storeBatch } from "../../../src/archive/events.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import {
  runOnce,
  type TestArchive,
  testArchive,
} from "../../support/archive.ts";
import {
  addRelay,
  againDue,
  monitorConfig,
  monitorKey,
  unusedPort,
} from "../../support/monitor.ts";
import { relayProcess } from "../../support/relay_process.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { type TestRelay, testRelay } from "../../support/test_relay.ts";

const anna = new Uint8Array(32).fill(3);
const otto = new Uint8Array(32).fill(4);

Deno.test("operators are told once that a relay they watch is down, why, and once that it is back", async () => {
  await using archive = await testArchive();
  await using inbox = await testRelay();
  const port = await unusedPort();
  const url = `ws://127.0.0.1:${port}`;
  const operators = [getPublicKey(anna), npubEncode(getPublicKey(otto))];
  const run = async () => {
    await againDue(archive);
    await using config = await monitorConfig({}, {
      alerts: {
        watch: [`${url}/`],
        operators,
        relays: [inbox.url],
        afterFailures: 2,
      },
    });
    const { log } = await runOnce(monitor, archive.database, config);
    return log.filter(({ relay, level }) => relay === url && level === "info")
      .map(({ message, state }) => state ? `${message}: ${state}` : message);
  };
  assert.deepEqual(await run(), ["relay is offline"]);
  assert.equal(inbox.count("EVENT"), 0, "once is no reason to worry");
  const told = "operator is told of a watched relay";
  assert.deepEqual(await run(), Array(2).fill(`${told}: offline`));
  const since = await sinceOf(archive, url);
  for (const key of [anna, otto]) {
    const [told, ...more] = messages(inbox, key);
    assert.equal(more.length, 0);
    assert.equal(
      told,
      `${url} is down since ${since} (failed checks: 2): refused: ${
        told?.split("refused: ")[1]
      }`,
    );
  }
  // Each run is a monitor that has just been started.
  await run();
  await run();
  assert.equal(inbox.count("EVENT"), 2, "once is enough");

  await using _back = await relayProcess({ port });
  assert.deepEqual((await run()).sort(), [
    ...Array(2).fill(`${told}: online again`),
    "relay is online again",
  ]);
  await run();
  assert.equal(inbox.count("EVENT"), 4);
  const [, back] = messages(inbox, anna);
  assert.match(
    back ?? "",
    new RegExp(`^${url} is back since .* UTC\\. It was`),
  );
  assert((back ?? "").includes(`down since ${since}, for `));
  assert.equal(
    await archive.count("service_state where state_type = 'alert'"),
    0,
  );
});

Deno.test("operators are told after a while even of a few failures, and not of a relay that came back before", async () => {
  await using archive = await testArchive();
  await using inbox = await testRelay();
  const port = await unusedPort();
  const watch = [`ws://127.0.0.1:${port}`];
  await using config = await monitorConfig({ relays: [inbox.url] }, {
    alerts: {
      watch,
      operators: [getPublicKey(anna)],
      afterFailures: 100,
      afterMinutes: 10,
    },
  });
  const run = async () => {
    await againDue(archive);
    await runOnce(monitor, archive.database, config);
  };
  await run();
  {
    await using _back = await relayProcess({ port });
    await run();
  }
  await run();
  assert.deepEqual(messages(inbox, anna), []);
  await archive.sql`update service_state set state_value =
    jsonb_set(state_value, '{since}', to_jsonb(unix_now() - 700))
    where state_type = 'alert'`;
  await run();
  const [told] = messages(inbox, anna);
  assert.match(told ?? "", /is down since .* \(failed checks: 2\)/);
});

Deno.test("an operator is told where his own list of relays says, and unwatched relays are forgotten", async () => {
  await using archive = await testArchive();
  await using chosen = await testRelay();
  await using configured = await testRelay();
  const list = finalizeEvent({
    kind: 10_050,
    created_at: 1_700_000_000,
    tags: [["relay", chosen.url], ["relay", "not a relay"]],
    content: "",
  }, anna);
  const id = await newRelay(archive);
  await storeBatch(archive.database, syncBatch(id, [list]));
  const dead = `ws://127.0.0.1:${await unusedPort()}`;
  await addRelay(archive, dead);
  const alerts = {
    watch: [dead],
    operators: [getPublicKey(anna), getPublicKey(otto)],
    relays: [configured.url],
    afterFailures: 1,
  };
  const networks = { clearnet: { timeoutMs: 2_000 } };
  await using config = await monitorConfig({}, { alerts, networks });
  await runOnce(monitor, archive.database, config);
  assert.equal(messages(chosen, anna).length, 1);
  assert.equal(messages(configured, otto).length, 1);
  assert.deepEqual([chosen.count("EVENT"), configured.count("EVENT")], [1, 1]);

  await using nobody = await monitorConfig({}, {
    alerts: { ...alerts, watch: [] },
  });
  await runOnce(monitor, archive.database, nobody);
  assert.equal(
    await archive.count("service_state where state_type = 'alert'"),
    0,
  );
});

Deno.test("an archive without whole events sends to the relays of the configuration, and looks for who is away as often as for others", async () => {
  await using archive = await testArchive({ edition: "lite" });
  await using inbox = await testRelay();
  const watch = [`ws://127.0.0.1:${await unusedPort()}`];
  const operators = [getPublicKey(anna)];
  await using config = await monitorConfig({ relays: [inbox.url] }, {
    alerts: { watch, operators, afterFailures: 7 },
    schedule: { everySeconds: 1_000, retrySeconds: 600, jitter: 0 },
  });
  for (let failures = 1; failures <= 7; failures++) {
    await againDue(archive);
    await runOnce(monitor, archive.database, config);
  }
  assert.equal(messages(inbox, anna).length, 1);
  const soon =
    "relay_lease where due_at between unix_now() + 900 and unix_now() + 1000";
  assert.equal(await archive.count(soon), 1);
});

/** What somebody can read of what a relay was sent, in the order in which it came. */
function messages({ log }: TestRelay, key: Uint8Array): string[] {
  return log.flatMap(({ message: [type, event] }) => {
    const { kind, tags } = Object(event);
    const isMine = type === "EVENT" && kind === 1_059 &&
      tags[0][1] === getPublicKey(key);
    if (!isMine) return [];
    const { kind: inner, pubkey, content } = unwrapEvent(Object(event), key);
    assert.deepEqual([inner, pubkey], [14, getPublicKey(monitorKey)]);
    return [content];
  });
}

async function sinceOf({ sql }: TestArchive, url: string): Promise<string> {
  const [row] = await sql<{ since: string }[]>`
    select to_char(to_timestamp((state_value ->> 'since')::int8)
      at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') as since
    from service_state where state_type = 'alert' and state_key = ${url}`;
  return row?.since ?? "";
}
