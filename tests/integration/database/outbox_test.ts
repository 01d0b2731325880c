import assert from "node:assert/strict";
import {
  addToOutbox,
  claimOutbox,
  countOutbox,
  expireOutbox,
  latestInOutbox,
  type OutboxEvent,
  type OutboxRound,
  settleOutbox,
} from "../../../src/archive/outbox.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";

const NOW = Math.floor(Date.now() / 1_000);
const SENDER = "ab".repeat(32);
const A = "wss://a.example";
const B = "wss://b.example";

const factory = eventFactory("outbox_test");

testOnEachServer(
  "claimOutbox() gives a target to one of many holders, with all that is due there",
  async ({ database }) => {
    await addToOutbox(database, SENDER, [entry({ d: "1" }), entry({ d: "2" })]);
    const claimed = await Promise.all(
      ["v", "w", "x", "y", "z"].map((holder) =>
        claimOutbox(database, SENDER, { ...REQUEST, holder })
      ),
    );
    const rounds = claimed.filter((round) => round !== null);
    assert.deepEqual(rounds.map(({ relayUrl }) => relayUrl).sort(), [A, B]);
    for (const { deliveries } of rounds) assert.equal(deliveries.length, 2);
    assert.equal(
      await claimOutbox(database, "cd".repeat(32), REQUEST),
      null,
      "another sender has an outbox of his own",
    );
  },
);

testOnEachServer(
  "claimOutbox() leaves targets out that cannot be dialled now",
  async ({ database }) => {
    await addToOutbox(database, SENDER, [entry({ d: "1" })]);
    const claim = (exceptAuthorities: readonly string[]) =>
      claimOutbox(database, SENDER, { ...REQUEST, exceptAuthorities });
    const both = [A, B].map((url) => new URL(url).host);
    assert.equal(await claim(both), null);
    assert.equal((await claim(both.slice(0, 1)))?.relayUrl, B);
    assert.equal((await claim([]))?.relayUrl, A);
  },
);

testOnEachServer(
  "addToOutbox() lets a newer event take the place of one of the same address, sent or not, and no older one",
  async (archive) => {
    const { database } = archive;
    const add = (createdAt: number) =>
      addToOutbox(database, SENDER, [entry({ createdAt, relays: [A] })]);
    assert.equal(await add(NOW - 100), 1);
    const round = await claimed(archive);
    // It is on its way when the newer one comes: its answer says nothing about that.
    assert.equal(await add(NOW - 50), 1);
    await settleOutbox(database, settled(round, { result: "accepted" }));
    assert.equal((await countOutbox(database, SENDER)).pending, 1);
    assert.equal(await add(NOW - 60), 0);
    assert.equal(await add(NOW - 50), 0);
    assert.equal(await archive.count("outbox"), 1);
    const [latest] = await latestInOutbox(database, SENDER, [
      { kind: 30_166, d: "x" },
      { kind: 30_166, d: "y" },
    ]);
    assert.equal(latest?.createdAt, NOW - 50);
    assert.match(latest?.fingerprint ?? "", /^f{64}$/);
  },
);

testOnEachServer(
  "addToOutbox() takes the newest of one batch, and text that PostgreSQL cannot hold",
  async (archive) => {
    const { database } = archive;
    const content = "a\0b\ud800";
    const taken = await addToOutbox(database, SENDER, [
      entry({ createdAt: NOW - 3 }),
      entry({ createdAt: NOW - 1, content }),
      entry({ createdAt: NOW - 2 }),
    ]);
    assert.equal(taken, 1);
    const { deliveries } = await claimed(archive);
    const [delivery] = deliveries;
    assert.equal(deliveries.length, 1);
    assert.equal(JSON.parse(delivery?.event ?? "").content, content);
  },
);

testOnEachServer(
  "settleOutbox() ends what has a result, and postpones the rest and the target",
  async (archive) => {
    const { database } = archive;
    await addToOutbox(database, SENDER, [entry({ d: "1", relays: [A] })]);
    const first = await claimed(archive);
    await settleOutbox(database, {
      ...settled(first, { result: null, nextTryInSeconds: 1_000 }),
      failures: 3,
    });
    assert.equal(await claimOutbox(database, SENDER, REQUEST), null);
    await archive.sql`update outbox_delivery set next_try_at = 0`;
    const second = await claimed(archive);
    assert.equal(second.failures, 3);
    assert.equal(second.deliveries[0]?.attempts, 1);
    const end = settled(second, { result: "refused", reason: "no\0!" });
    assert.equal(await settleOutbox(database, end), 1);
    assert.equal(await settleOutbox(database, end), 0, "once and for all");
    const { pending, refused } = await countOutbox(database, null);
    assert.deepEqual([pending, refused], [0, 1]);
    assert.equal(
      await archive.count(`outbox_delivery where reason = 'no\uFFFD!'`),
      1,
    );
  },
);

testOnEachServer(
  "a claim of a dead holder ends, and he cannot end that of his successor",
  async (archive) => {
    const { database } = archive;
    await addToOutbox(database, SENDER, [entry({ relays: [A] })]);
    const dead = await claimed(archive);
    await archive.sql`update outbox_target set claimed_until = 1`;
    const next = await claimOutbox(database, SENDER, {
      ...REQUEST,
      holder: "next",
    });
    assert.equal(next?.targetId, dead.targetId);
    await settleOutbox(database, { ...settled(dead, null), results: [] });
    assert.equal(
      await archive.count("outbox_target where claimed_until > 1"),
      1,
    );
  },
);

testOnEachServer(
  "expireOutbox() ends what is too old to be sent, and deletes what is long past",
  async (archive) => {
    const { database } = archive;
    await addToOutbox(database, SENDER, [
      entry({ d: "over", expiresAt: NOW - 10, relays: [A] }),
      entry({ d: "long over", expiresAt: NOW - 1_000, relays: [A, B] }),
      entry({ d: "not yet", relays: [A] }),
    ]);
    const counts = await expireOutbox(database, {
      olderThanSeconds: 100,
      limit: 10,
    });
    assert.deepEqual(counts, { expired: 3, deleted: 1 });
    assert.equal(await archive.count("outbox"), 2);
    assert.equal(await archive.count("outbox_delivery"), 2);
    const { deliveries } = await claimed(archive);
    assert.equal(deliveries.length, 1);
  },
);

const REQUEST = { holder: "me", leaseSeconds: 60, limit: 10 };

function entry(
  { d = "x", createdAt = NOW, content = "", relays = [A, B], expiresAt }:
    & { readonly d?: string; readonly content?: string }
    & Partial<Pick<OutboxEvent, "createdAt" | "expiresAt" | "relays">>,
): OutboxEvent {
  const tags = [["d", d]];
  return {
    event: factory.sign({ kind: 30_166, createdAt, tags, content }),
    d,
    createdAt,
    expiresAt: expiresAt ?? NOW + 1_000,
    fingerprint: "f".repeat(64),
    relays,
  };
}

async function claimed(
  { database }: { readonly database: Parameters<typeof claimOutbox>[0] },
): Promise<OutboxRound> {
  const round = await claimOutbox(database, SENDER, REQUEST);
  assert(round !== null);
  return round;
}

function settled(
  { targetId, deliveries }: OutboxRound,
  outcome: {
    readonly result: "accepted" | "refused" | null;
    readonly reason?: string;
    readonly nextTryInSeconds?: number;
  } | null,
): Parameters<typeof settleOutbox>[1] {
  return {
    targetId,
    holder: REQUEST.holder,
    failures: 0,
    nextTryInSeconds: 0,
    results: deliveries.map(({ outboxId, eventId, attempts }) => ({
      outboxId,
      eventId,
      attempts: attempts + 1,
      reason: null,
      result: null,
      nextTryInSeconds: 0,
      ...outcome,
    })),
  };
}
