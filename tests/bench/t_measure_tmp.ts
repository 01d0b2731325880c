import { testArchive } from "/work/wt/t/tests/support/archive.ts";
import {
  readStatistics,
  SECTIONS,
} from "/work/wt/t/src/archive/statistics/read_statistics.ts";
import {
  DistinctSketch,
  sketchEntry,
} from "/work/wt/t/src/archive/statistics/distinct_sketch.ts";
await using archive = await testArchive();
const { sql } = archive;
const t0 = performance.now();
// As of 10 M events over 3 years: 1 M authors, 3 M author-days, 3,000 relays of 40 kinds and 700 days each, 300 kinds a day at most.
await sql.unsafe(`
set synchronous_commit = off;
insert into relay (url, network, domain, discovered_at) select format('wss://r%s.example', i), (array['clearnet','clearnet','clearnet','tor'])[1+i%4], 'x', 1 from generate_series(1,3000) i;
insert into kind_day (events, day, kind) select 1 + (9000 / (k+1)), d, k from generate_series(unix_now()/86400-1100, unix_now()/86400) d, generate_series(0, 99) k;
insert into kind_total (events, kind) select sum(events), kind from kind_day group by kind;
insert into author (pubkey, events, first_at, last_at) select sha256(int8send(i)), 1 + (10/random())::int, unix_now() - (1100*86400*random())::int8, unix_now() from generate_series(1,1000000) i;
insert into author_first (day, authors) select first_at/86400, count(*) from author group by 1;
insert into author_day (day, author, events) select unix_now()/86400 - (i % 1100), 1 + (999999 * random()^3)::int, 1 + (3*random())::int from generate_series(1,3000000) i on conflict do nothing;
insert into relay_kind (events, relay_id, kind) select 1 + 1000/(k+1), r, k from generate_series(1,3000) r, generate_series(0,39) k;
insert into relay_day (events, relay_id, day) select 5, r, unix_now()/86400 - d from generate_series(1,3000) r, generate_series(0,699) d;
insert into event_minute (minute, events) select unix_now()/60 - i, 7 from generate_series(0, 31*1440) i;
insert into relay_author (first_at, last_at, relay_id, author, events, kinds) select 1, 2, 1 + (i % 50), 1 + i / 50, 1 + i % 7, '\\x0001' from generate_series(1, 3000000) i;
update statistics_state set folded_at = unix_now();
`);
const dense = new DistinctSketch();
const keys = crypto.getRandomValues(new Uint8Array(64000));
for (let i = 0; i < 64000; i += 32) dense.addEntry(sketchEntry(keys, i));
for (let i = 0; i < 60000; i++) {
  crypto.getRandomValues(keys.subarray(0, 32));
  dense.addEntry(sketchEntry(keys, 0));
}
const b = dense.bytes();
await sql`insert into distinct_sketch (estimate, first, second, subject, registers)
 select 60000, d, k, 1, ${b} from generate_series(unix_now()/86400-1100, unix_now()/86400) d, generate_series(0,9) k`;
await sql`insert into distinct_sketch (estimate, first, second, subject, registers) select 60000, k, 0, 2, ${b} from generate_series(0,99) k`;
await sql`insert into distinct_sketch (estimate, first, second, subject, registers) select 60000, r, 0, 4, ${b} from generate_series(1,3000) r`;
await sql`insert into distinct_sketch (estimate, first, second, subject, registers) select 60000, r, k, 3, ${
  b.slice(0, 0)
} from generate_series(1,3000) r, generate_series(0,39) k`;
await sql`insert into distinct_sketch (estimate, first, second, subject, registers) select 60000, r, 0, s, ${b} from generate_series(1,4) r, generate_series(6,7) s`;
await sql.unsafe("vacuum analyze");
console.log(
  "filled in s",
  (performance.now() - t0) / 1000 | 0,
  "author_day",
  await archive.count("author_day"),
);
async function time(name: string, work: () => Promise<unknown>) {
  await work();
  const times = [];
  for (let i = 0; i < 5; i++) {
    const t = performance.now();
    await work();
    times.push(performance.now() - t);
  }
  times.sort((a, b) => a - b);
  console.log(name.padEnd(60), times[2]!.toFixed(1), "ms");
}
const today = Math.floor(Date.now() / 864e5);
for (
  const q of [
    "select * from event_stats",
    "select * from kind_counts",
    "select * from network_stats",
    "select * from relay_stats where relay_url = 'wss://r77.example'",
    "select * from relay_stats",
    "select * from relay_stats order by event_count desc limit 20",
    "select * from kind_counts_by_relay where relay_url = 'wss://r77.example'",
    "select * from kind_counts_by_relay where kind = 1 order by event_count desc limit 20",
    "select * from pubkey_counts order by event_count desc limit 20",
    "select * from pubkey_counts where author_key = sha256(int8send(77))",
    "select * from pubkey_counts_by_relay where relay_url = 'wss://r7.example' order by event_count desc limit 20",
    "select * from pubkey_counts_by_relay where author_key = sha256(int8send(77))",
    "select * from event_daily_counts where day > current_date - 30",
    "select * from event_daily_counts",
    `select statistics_totals(${today - 29}, ${today})`,
    `select statistics_totals(${today - 364}, ${today})`,
    `select statistics_totals(0, ${today})`,
    `select statistics_totals(${today - 729}, ${today - 700})`,
    `select statistics_totals(0, 36525)`,
    `select count(*) from (select from author_day where day between ${
      today - 29
    } and ${today} group by author) as a`,
    `select count(*) from (select from author_day where day between ${
      today - 364
    } and ${today} group by author) as a`,
    `select statistics_trend(${today - 29}, ${today}, 1)`,
    `select statistics_trend(0, 36525, 30)`,
    `select statistics_authors(${today - 29}, ${today}, 10)`,
    `select statistics_authors(0, 36525, 10)`,
    `select statistics_relays(${today - 29}, ${today}, 10)`,
    `select statistics_relays(0, 36525, 10)`,
    `select statistics_retention(${today - 29}, ${today})`,
    `select statistics_retention(${today - 364}, ${today})`,
  ]
) await time(q, () => sql.unsafe(q));
for (const days of [30, 365, 1100]) {
  await time(
    `readStatistics ${days} days, all sections`,
    () =>
      readStatistics(archive.database, {
        range: { firstDay: today - days + 1, lastDay: today },
        sections: SECTIONS,
        top: 10,
      }),
  );
  await time(
    `readStatistics ${days} days, kinds`,
    () =>
      readStatistics(archive.database, {
        range: { firstDay: today - days + 1, lastDay: today },
        sections: ["kinds"],
        top: 10,
      }),
  );
}
