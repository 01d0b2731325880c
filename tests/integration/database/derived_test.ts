/**
 * Derived facts are what the events say: in any order, after deletions, when they are switched on later, or lost.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DerivedOptions } from "../../../src/archive/derived/derived_options.ts";
import {
  derivedStatus,
  requestDerivedRemake,
} from "../../../src/archive/derived/derived.ts";
import { storeBatch } from "../../../src/archive/events.ts";
import { refreshStatistics } from "../../../src/archive/statistics/refresh.ts";
import { readZap } from "../../../src/nips/nip57.ts";
import { loadVerifier } from "../../../src/nips/verify/verifier.ts";
import type { TestArchive } from "../../support/archive.ts";
import { assertDerived } from "../../support/brute_derived.ts";
import { assertStatistics } from "../../support/brute_statistics.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { eventFactory } from "../../support/event_factory.ts";
import { socialHistory } from "../../support/social_history.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";

const { signal } = new AbortController();
const verifier = await loadVerifier();

const ALL: DerivedOptions = {
  contacts: true,
  assertions: true,
  targets: true,
  readZap(tags) {
    const read = readZap(tags, (event) => verifier.verify(event));
    return read.ok ? read.value : null;
  },
};

const NONE = { ...ALL, contacts: false, assertions: false, targets: false };

async function refreshOnce(
  { database }: TestArchive,
  derived: DerivedOptions,
  limit = 3,
): Promise<boolean> {
  const { isIdle } = await refreshStatistics(database, {
    limit,
    signal,
    derived,
  });
  return isIdle;
}

async function refreshAll(archive: TestArchive, derived = ALL): Promise<void> {
  for (let turns = 0; !await refreshOnce(archive, derived); turns++) {
    assert.ok(turns < 1_000);
  }
}

const WHOLE = { contacts: "whole", assertions: "whole" };

testOnEachServer(
  "derived facts are what the events say, after any history",
  async (archive) => {
    const { database, sql } = archive;
    const seed = String(Math.floor(Math.random() * 1e9));
    using _ = {
      [Symbol.dispose]: () => isRight || assert.fail(`With seed ${seed}`),
    };
    let isRight = false;
    const factory = eventFactory(seed);
    const relay = await newRelay(archive);
    const events = socialHistory(factory, 700);
    const forgotten = new Set<string>();
    await refreshAll(archive);
    for (let i = 0; i < events.length; i += 25) {
      const part = events.slice(i, i + 25);
      await storeBatch(database, syncBatch(relay, part));
      if (factory.number(3) === 0) await refreshOnce(archive, ALL);
      if (factory.number(3) === 0) {
        const { id } = factory.pick(events.slice(0, i + 25));
        forgotten.add(id);
        await sql`select forget_begin('', decode(${id}, 'hex'), 0, 'operator')`;
        await sql`select * from forget_page(null, decode(${id}, 'hex'), 10)`;
      }
      if (factory.number(4) === 0) {
        // What no relay holds any more comes back with a later batch.
        const orphans = part.filter(() => factory.number(2) === 0);
        await sql`
          delete from sighting_page where relay_id = ${relay}`;
        await sql`select * from orphan_event_delete(-1, '', 10000)`;
        if (factory.number(2) === 0) await refreshOnce(archive, ALL);
        await storeBatch(
          database,
          syncBatch(relay, orphans.filter(({ id }) => !forgotten.has(id))),
        );
      }
    }
    const again = events.filter(() => factory.number(2) === 0);
    await storeBatch(database, syncBatch(relay, again));
    await refreshAll(archive);
    await assertDerived(archive, verifier);
    assert.ok(await archive.count("zap") > 0);
    assert.ok(await archive.count("contact") > 0);
    assert.equal(await archive.count("deleted_event"), 0);
    assert.equal(await archive.count("derived_lost"), 0);

    await requestDerivedRemake(database);
    await storeBatch(database, syncBatch(relay, events));
    await refreshAll(archive);
    await assertDerived(archive, verifier);

    const victim = factory.pubkey(3);
    await sql`select forget_begin(decode(${victim}, 'hex'), '', 9223372036854775807, 'operator')`;
    await sql`select * from forget_page(decode(${victim}, 'hex'), null, 1000)`;
    await refreshAll(archive);
    await assertDerived(archive, verifier);
    assert.deepEqual(await derivedStatus(database), WHOLE);
    isRight = true;
  },
);

testOnEachServer(
  "derived facts can be switched, and are made from the start when facts were missed",
  async (archive) => {
    const { database, sql } = archive;
    const factory = eventFactory("derived_test");
    const relay = await newRelay(archive);
    const events = socialHistory(factory, 300);
    await storeBatch(database, syncBatch(relay, events.slice(0, 200)));
    await refreshAll(archive, NONE);
    assert.equal(await archive.count("author_fact"), 0);
    await refreshAll(archive);
    await assertDerived(archive, verifier);

    await refreshAll(archive, { ...ALL, targets: false });
    assert.equal(await archive.count("target_fact"), 0);
    assert.ok(await archive.count("author_fact") > 0);
    await refreshAll(archive, { ...ALL, assertions: false });
    assert.deepEqual(await derivedStatus(database), {
      contacts: "whole",
      assertions: null,
    });
    assert.equal(await archive.count("author_fact"), 0);
    await storeBatch(database, syncBatch(relay, events.slice(200, 250)));
    await refreshAll(archive);
    await assertDerived(archive, verifier);

    await storeBatch(database, syncBatch(relay, events.slice(250)));
    await sql`create or replace function fact_bound(out rows int4, out bytes int8) language sql as $$ select 0, 0::int8 $$`;
    await sql`select fact_trim()`;
    assert.equal(await archive.count("fact where taken_at is null"), 0);
    await refreshAll(archive);
    await assertDerived(archive, verifier);
    await assertStatistics(sql);
  },
);

testOnEachServer(
  "a deletion whose tags nobody kept has derived facts made from the start",
  async (archive) => {
    const { database, sql } = archive;
    const factory = eventFactory("derived_test lost");
    const relay = await newRelay(archive);
    await storeBatch(database, syncBatch(relay, socialHistory(factory, 100)));
    await refreshAll(archive);
    const reaction = factory.sign({
      kind: 7,
      tags: [["p", factory.pubkey(1)]],
    });
    await storeBatch(database, syncBatch(relay, [reaction]));
    await refreshAll(archive);
    await sql`select forget_begin('', decode(${reaction.id}, 'hex'), 0, 'operator')`;
    await sql`select * from forget_page(null, decode(${reaction.id}, 'hex'), 10)`;
    assert.equal(await archive.count("deleted_event"), 1);
    await sql`delete from deleted_event`;
    await refreshAll(archive);
    await assertDerived(archive, verifier);
  },
);

testOnEachServer(
  "a contact list of 20,000 and garbage is read once, and only what changed is written",
  async (archive) => {
    const { database, sql } = archive;
    const factory = eventFactory("derived_test contacts");
    const relay = await newRelay(archive);
    const key = (i: number) => i.toString(16).padStart(64, "0");
    const tags = [
      ["p"],
      ["p", "xyz"],
      ["p", factory.pubkey(0)],
      ["x", key(1)],
      ...Array.from({ length: 20_000 }, (_, i) => ["p", key(i)]),
      ["p", key(7)],
    ];
    const list = (createdAt: number, follows: string[][]) =>
      factory.sign({ kind: 3, createdAt, tags: follows });
    await storeBatch(database, syncBatch(relay, [list(1_000, tags)]));
    await refreshAll(archive);
    await assertDerived(archive, verifier);
    assert.equal(await archive.count("contact"), 20_000);
    const numbers = () =>
      sql`select xmin::text, followed from contact order by followed limit 5`;
    const before = await numbers();
    const last = await archive.count("author");
    await storeBatch(
      database,
      syncBatch(relay, [
        list(2_000, tags.slice(0, -2)),
        list(999, [["p", key(30_000)]]),
      ]),
    );
    await refreshAll(archive);
    await assertDerived(archive, verifier);
    assert.deepEqual(await numbers(), before);
    assert.equal(await archive.count("contact"), 19_999);
    assert.equal(await archive.count("author"), last - 1);
  },
);

testOnEachServer(
  "a lite archive knows no derived facts, and says so",
  async (archive) => {
    const { database } = archive;
    const relay = await newRelay(archive);
    const events = socialHistory(eventFactory("derived_test lite"), 50);
    await storeBatch(database, syncBatch(relay, events));
    await refreshAll(archive);
    assert.equal(await derivedStatus(database), null);
    for (const table of ["author_fact", "contact_list", "target_fact", "zap"]) {
      assert.equal(await archive.count(table), 0);
    }
  },
  { edition: "lite" },
);
