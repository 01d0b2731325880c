/**
 * Statistics are what the tables hold: folded, made again, after deletions, in any order.
 *
 * @module
 */
import assert from "node:assert/strict";
import { storeBatch } from "../../../src/archive/events.ts";
import { refreshStatistics } from "../../../src/archive/statistics/refresh.ts";
import { requestRemake } from "../../../src/archive/statistics/refresh.ts";
import { type TestArchive, testArchive } from "../../support/archive.ts";
import { assertStatistics } from "../../support/brute_statistics.ts";
import { serverVersions } from "../../support/postgres.ts";
import { newRelay, syncBatch } from "../../support/sync_batch.ts";
import { randomEvents } from "../../bench/random_events.ts";

const signal = new AbortController().signal;

async function refreshAll({ database }: TestArchive): Promise<number> {
  for (let turns = 1;; turns++) {
    const { isIdle } = await refreshStatistics(database, { limit: 20, signal });
    if (isIdle) return turns;
    assert.ok(turns < 1_000);
  }
}

for (const version of await serverVersions()) {
  Deno.test(`what is stored is in the statistics, and what is deleted is not [${version}]`, async () => {
    await using archive = await testArchive({ version });
    const { database, sql } = archive;
    const relays = [
      await newRelay(archive, "wss://one.example"),
      await newRelay(archive, "wss://two.example"),
    ];
    // Of 40 days: each is made again by itself.
    const events = randomEvents(2_000, 7).map((event) => ({
      ...event,
      created_at: 1_795_000_000 + event.created_at % (40 * 86_400),
    }));
    for (let i = 0; i < events.length; i += 200) {
      const part = events.slice(i, i + 200);
      await storeBatch(database, syncBatch(relays[0]!, part));
      await storeBatch(database, syncBatch(relays[1]!, part.slice(0, 50)));
    }
    await refreshAll(archive);
    await assertStatistics(sql);

    const victim = events[3]!.pubkey;
    await sql`select forget_begin(decode(${victim}, 'hex'), '', 9223372036854775807, 'operator')`;
    await sql`select * from forget_page(decode(${victim}, 'hex'), null, 1000)`;
    await refreshAll(archive);
    await assertStatistics(sql);
    assert.equal(
      await archive.count(`author where pubkey = '\\x${victim}'`),
      0,
    );

    assert.deepEqual(await requestRemake(database, {}), {
      days: await archive.count("(select distinct day from kind_day) as day"),
      relays: 2,
    });
    await refreshAll(archive);
    await assertStatistics(sql);
    await sql`truncate kind_day, kind_total, author, author_first, author_day, relay_day, relay_kind, relay_author, distinct_sketch, event_minute, kind_hour`;
    await requestRemake(database, {});
    await refreshAll(archive);
    await assertStatistics(sql);
  });

  Deno.test(`an event that was looked up as an author's first, and deleted uncounted, is so no more [${version}]`, async () => {
    await using archive = await testArchive({ version });
    const { database, sql } = archive;
    const relay = await newRelay(archive);
    const [model] = randomEvents(1, 1);
    const event = (day: number, second: number) => ({
      ...model!,
      kind: 1,
      id: (day * 100_000 + second).toString(16).padStart(64, "0"),
      created_at: 1_795_046_400 + day * 86_400 + second,
    });
    const store = (...events: ReturnType<typeof event>[]) =>
      storeBatch(database, syncBatch(relay, events));
    const forget = async ({ id }: ReturnType<typeof event>) => {
      await sql`select forget_begin('', decode(${id}, 'hex'), 0, 'operator')`;
      await sql`select * from forget_page(null, decode(${id}, 'hex'), 10)`;
    };
    const gone = event(5, 0);
    await store(event(4, 0), gone, event(3, 50));
    await refreshAll(archive);
    // The deletion is folded while what comes after it waits: first and last are looked up in the tables.
    await forget(gone);
    const alone = event(1, 0);
    const beside = event(3, 10);
    await store(alone, beside);
    for (let facts = 0; facts < 2; facts++) {
      await refreshStatistics(database, { limit: 1, signal });
    }
    await sql`
      insert into fact_dropped (dropped_at, day)
      select 0, statistics_day(at) from unnest(
        ${sql.array([alone.created_at, beside.created_at])}::int8[]) as at`;
    // Else what its relay loses would have the author looked up.
    await sql`
      insert into fact_dropped (dropped_at, relay_id) values (0, ${relay})`;
    await forget(alone);
    await refreshAll(archive);
    await assertStatistics(sql);
    await forget(beside);
    await refreshAll(archive);
    await assertStatistics(sql);
  });
}
