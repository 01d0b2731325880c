/**
 * What `stats` reads is what the tables hold, of any days.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Estimate } from "../../../src/archive/statistics/estimate.ts";
import {
  type DayRange,
  LAST_DAY,
} from "../../../src/archive/statistics/moments.ts";
import {
  readStatistics,
  SECTIONS,
  type Statistics,
} from "../../../src/archive/statistics/read_statistics.ts";
import type { TestArchive } from "../../support/archive.ts";
import { testArchive } from "../../support/archive.ts";
import { fillStatistics } from "../../support/brute_statistics.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { writeHistory } from "../../support/statistics_history.ts";

const TODAY = Math.floor(Date.now() / 86_400_000);

const RANGES: readonly (DayRange & { readonly step: number })[] = [
  { firstDay: TODAY, lastDay: TODAY, step: 1 },
  { firstDay: TODAY - 29, lastDay: TODAY, step: 1 },
  { firstDay: TODAY - 300, lastDay: TODAY - 3, step: 7 },
  { firstDay: TODAY - 2_500, lastDay: TODAY + 1, step: 30 },
  { firstDay: 0, lastDay: LAST_DAY, step: 30 },
];

const AUTHOR = "case when kind in (445, 1059, 21059) then id else pubkey end";
const DAY = "least(e.created_at / 86400, 36525)::int4";

testOnEachServer(
  "readStatistics() says of any days what brute force says",
  async (archive) => {
    await writeHistory(archive, 6_000);
    await fillStatistics(archive.sql);
    for (const range of RANGES) {
      const found = await readStatistics(archive.database, {
        range,
        sections: SECTIONS,
        top: 5,
      });
      await compare(archive, range, found);
    }
  },
);

async function compare(
  { sql }: TestArchive,
  { firstDay, lastDay, step }: typeof RANGES[number],
  found: Statistics,
): Promise<void> {
  const IN_RANGE = `${DAY} between ${firstDay} and ${lastDay}`;
  await sql.unsafe(`
    create temporary view known as
    select e.*, ${AUTHOR} as author, ${DAY} as day,
      min(e.created_at) over (partition by ${AUTHOR}) as first_at
    from event e`);
  const rows = async (query: string) =>
    (await sql.unsafe(`select ${query}`).values()).map((row) =>
      row.map((value: unknown) =>
        typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value
      )
    );
  try {
    const { events, kinds, authors, newAuthors } = found.totals;
    assert.deepEqual(
      [[events, kinds, authors, newAuthors]],
      await rows(`count(*), count(distinct kind), count(distinct author),
        count(distinct author) filter (where least(first_at / 86400, 36525) between ${firstDay} and ${lastDay})
        from known e where ${IN_RANGE}`),
    );
    assert.equal(found.trend!.stepDays, step);
    assert.deepEqual(
      found.trend!.steps.map(({ at, events, authors, newAuthors }) => [
        at,
        events,
        authors,
        newAuthors,
      ]),
      await rows(
        `(${firstDay} + (day - ${firstDay}) / ${step} * ${step})::int8 * 86400, count(*), count(distinct author),
        count(distinct author) filter (where (least(first_at / 86400, 36525) - ${firstDay}) / ${step} = (day - ${firstDay}) / ${step}
          and least(first_at / 86400, 36525) >= ${firstDay})
        from known e where ${IN_RANGE} group by (day - ${firstDay}) / ${step} order by 1`,
      ),
    );
    assert.deepEqual(
      found.kinds!.map(({ kind, events }) => [kind, events]),
      await rows(`kind, count(*) from known e where ${IN_RANGE}
        group by kind order by count(*) desc, kind limit 5`),
    );
    for (const { kind, authors } of found.kinds!) {
      const [[count] = []] = await rows(
        `count(distinct author) from known e where ${IN_RANGE} and kind = ${kind}`,
      );
      assertNear(authors, Number(count), `kind ${kind}`);
    }
    const measured = `${IN_RANGE} and kind not in (445, 1059, 21059)`;
    assert.deepEqual(
      found.authors!.map((one) => one.events),
      (await rows(`count(*) from known e where ${measured}
        group by pubkey order by count(*) desc limit 5`)).flat(),
    );
    for (const author of found.authors!) {
      const { pubkey, npub, kinds, firstAt, lastAt } = author;
      assert.deepEqual(
        [[npub, author.events, kinds, firstAt, lastAt]],
        await rows(
          `npub(pubkey), count(*) filter (where ${IN_RANGE}), count(distinct kind), min(e.created_at), max(e.created_at)
          from known e where pubkey = '\\x${pubkey}' and kind not in (445, 1059, 21059) group by pubkey`,
        ),
      );
    }
    const sighted =
      `from event_relay s join known e on e.id = s.event_id join relay r on r.id = s.relay_id`;
    assert.deepEqual(
      found.relays!.map(({ url, events }) => [url, events]),
      await rows(`url, count(*) ${sighted} where ${IN_RANGE}
        group by r.id order by count(*) desc, r.id limit 5`),
    );
    for (const { url, authors, isWhole } of found.relays!) {
      const [[count] = []] = await rows(
        `count(distinct author) ${sighted} where url = '${url}'`,
      );
      assertNear(authors, Number(count), url);
      assert.ok(isWhole);
    }
    for (const { network, events, authors, relays } of found.networks!) {
      const [[archived, people] = []] = await rows(
        `count(distinct e.id), count(distinct author) ${sighted} where network = '${network}'`,
      );
      assertNear(events, Number(archived), network);
      assertNear(authors, Number(people), network);
      assert.equal(relays, 6);
    }
    await compareRetention(rows, { firstDay, lastDay }, found);
  } finally {
    await sql.unsafe("drop view known");
  }
}

async function compareRetention(
  rows: (query: string) => Promise<unknown[][]>,
  { firstDay, lastDay }: DayRange,
  found: Statistics,
): Promise<void> {
  // Monday 1970-01-05 begins week 0.
  const counted = new Map(
    (await rows(
      `concat_ws(' ', (first_at / 86400 - 4) / 7, (day - 4) / 7), count(distinct pubkey)
      from (select *, min(created_at) over (partition by pubkey) as first_at,
          least(created_at / 86400, 36525)::int4 as day
        from event where kind not in (445, 1059, 21059)) as e
      where first_at >= 4 * 86400 group by 1`,
    )).map((
      [name, count],
    ) => [`${name}`, Number(count)]),
  );
  const weeks: number[] = [];
  for (let day = firstDay; day + 6 <= Math.min(lastDay, TODAY); day++) {
    if (day % 7 === 4) weeks.push((day - 4) / 7);
  }
  const shown = weeks.slice(-104);
  assert.deepEqual(
    found.retention!.map(({ at, active }) => [at, active]),
    shown.map((week) => [
      (week * 7 + 4) * 86_400,
      shown.filter((one) => one >= week)
        .map((later) => counted.get(`${week} ${later}`) ?? 0),
    ]),
  );
}

function assertNear(
  estimate: Estimate | null,
  count: number,
  name: string,
): void {
  assert.ok(estimate !== null, name);
  const off = Math.abs(estimate.count - count);
  const text = `${name}: ${estimate.count} ± ${estimate.error}, not ${count}`;
  assert.ok(off <= 3 * (estimate.error ?? 0), text);
}

Deno.test("readStatistics() reads the sections that are asked for, and says what is missing in them", async () => {
  await using archive = await testArchive();
  const { sql, database } = archive;
  const options = {
    range: { firstDay: 0, lastDay: LAST_DAY },
    sections: ["relays", "kinds"] as const,
    top: 10,
  };
  const empty = await readStatistics(database, options);
  assert.equal(empty.status.foldedAt, null);
  assert.deepEqual(empty.totals, {
    events: 0,
    kinds: 0,
    authors: 0,
    newAuthors: 0,
  });
  assert.deepEqual([empty.relays, empty.kinds], [[], []]);
  assert.deepEqual(
    [empty.trend, empty.authors, empty.networks, empty.retention],
    [null, null, null, null],
  );

  await writeHistory(archive, 300);
  await fillStatistics(sql);
  await sql`insert into fact_dropped (dropped_at, relay_id) select 0, id from relay where url = 'wss://r1.example'`;
  await sql`update distinct_sketch set is_stale = true where subject in (2, 4)`;
  const { status, relays, kinds } = await readStatistics(database, options);
  assert.equal(status.relaysToMake, 1);
  assert.ok(status.staleSketches > 0);
  assert.deepEqual(
    relays!.filter(({ isWhole }) => !isWhole).map(({ url }) => url),
    ["wss://r1.example"],
  );
  for (const { authors } of relays!) assert.equal(authors, null);
  for (const { kind, authors } of kinds!) {
    assert.equal(authors === null, kind !== 445 && kind !== 1059, `${kind}`);
  }
});
