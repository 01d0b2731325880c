import assert from "node:assert/strict";
import { join } from "node:path";
import { matchesFilter } from "../../../src/models/filter.ts";
import type { RelaySync } from "../../../src/services/synchronizer/sync_relay.ts";
import { testArchive } from "../../support/archive.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { assertTruthful, syncOnce } from "../../support/sync.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";
import { testRelay } from "../../support/test_relay.ts";
import type { RelayScript, TestReq } from "../../support/test_relay_script.ts";

const factory = eventFactory("auth sync");
const EVENTS = Array.from(
  { length: 8 },
  (_, i) => factory.sign({ createdAt: 1_700_000_000 + i * 5 }),
).reverse();
const PUBLIC = EVENTS.filter((_, i) => i % 2 === 0);
const CHALLENGE = '["AUTH","who are you?"]';

Deno.test("syncRelay() authenticates to a relay that keeps a REQ waiting until it knows who asks", async () => {
  await allWithKey(() => {
    const held: TestReq[] = [];
    return {
      greeting: [CHALLENGE],
      onReq: (req) => answer(req, () => void held.push(req)),
      onAuth: () => held.splice(0).forEach((req) => give(req, EVENTS)),
    };
  });
});

Deno.test("syncRelay() does not take the public part for all when it has a key", async () => {
  await allWithKey(() => ({
    greeting: [CHALLENGE],
    onReq: (req) => answer(req, () => give(req, PUBLIC)),
  }));
});

Deno.test("syncRelay() does not take the public part for all when the challenge comes with the first page", async () => {
  await allWithKey(() => ({
    onReq: (req) =>
      answer(req, () => {
        if (req.nth === 1) req.send(CHALLENGE);
        give(req, PUBLIC);
      }),
  }));
});

Deno.test("syncRelay() asks again when its AUTH gets no OK", async () => {
  await allWithKey(() => ({
    greeting: [CHALLENGE],
    authAnswer: "silent",
    onReq: (req) => answer(req, () => req.closed("auth-required: please")),
  }));
});

Deno.test("syncRelay() waits for a challenge that follows the refusal", async () => {
  await allWithKey(() => ({
    onReq: (req) =>
      answer(req, () => {
        req.closed("auth-required: please");
        setTimeout(() => req.send(CHALLENGE), 100);
      }),
  }));
});

Deno.test("syncRelay() authenticates when a NOTICE asks for it", async () => {
  await allWithKey(() => ({
    onReq: (req) =>
      answer(req, () => {
        req.send(CHALLENGE);
        req.notice("restricted: auth-required to read");
      }),
  }));
});

Deno.test("syncRelay() claims nothing of a relay that wants to know who asks, without a key", async () => {
  const result = await sync({
    greeting: [CHALLENGE],
    onReq: (req) => answer(req, () => {}),
  }, {});
  assert.deepEqual([result.stored, result.complete], [0, false]);
  assert.ok(result.gaps.every(({ reason }) => reason === "timeout"));
});

/** Syncs the relay with a key, and expects everything. */
async function allWithKey(makeScript: () => RelayScript): Promise<void> {
  await using folder = await temporaryDirectory();
  const secretKeyFile = join(folder.path, "key");
  await Deno.writeTextFile(secretKeyFile, `${"01".repeat(32)}\n`);
  const result = await sync(makeScript(), { keys: { secretKeyFile } });
  assert.deepEqual([result.stored, result.complete], [8, true]);
}

async function sync(
  script: RelayScript,
  config: Readonly<Record<string, unknown>>,
): Promise<RelaySync> {
  await using archive = await testArchive();
  await using relay = await testRelay({ events: EVENTS, ...script });
  const result = await syncOnce({
    archive,
    relay: relay.relay,
    config: { ...config, requests: { idleTimeoutMs: 1_000 } },
  });
  await assertTruthful(archive, { relay: relay.relay, events: EVENTS });
  return result;
}

/** Everything for those who have said who they are. */
function answer(req: TestReq, toStrangers: () => void): void {
  if (req.isAuthenticated()) give(req, EVENTS);
  else toStrangers();
}

function give(req: TestReq, events: typeof EVENTS): void {
  const { limit = Infinity, ...filter } = req.filters[0]!;
  const page = events.filter((event) => matchesFilter(filter, event));
  void req.events(page.slice(0, limit));
  req.eose();
}
