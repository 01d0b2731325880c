import assert from "node:assert/strict";
import { testArchive } from "../../support/archive.ts";
import { fillStatistics } from "../../support/brute_statistics.ts";
import { writeHistory } from "../../support/statistics_history.ts";

for (const edition of ["full", "lite"] as const) {
  Deno.test(`views of statistics say what the tables of a ${edition} archive hold`, async (t) => {
    await using archive = await testArchive({ edition });
    const { sql } = archive;
    await writeHistory(archive);
    await sql.unsafe(DOCUMENTS);
    await fillStatistics(sql);
    for (const [view, { columns, brute }] of Object.entries(VIEWS)) {
      await t.step(view, async () => {
        const stored = await sql.unsafe(`select ${columns} from ${view}`);
        const counted = await sql.unsafe(brute);
        assert.ok(counted.length > 0);
        assert.deepEqual(sorted(stored), sorted(counted));
      });
    }
    for (const [figure, { approximate, exact }] of Object.entries(ESTIMATES)) {
      await t.step(figure, async () => {
        const estimates = await sql.unsafe(approximate);
        const counts = new Map(
          (await sql.unsafe(exact)).map(({ name, n }) => [name, Number(n)]),
        );
        assert.ok(estimates.length > 3);
        for (const { name, n, error } of estimates) {
          const count = counts.get(name) ?? 0;
          counts.delete(name);
          const allowed = error === null ? 0 : 3 * Number(error);
          assert.ok(
            Math.abs(Number(n) - count) <= allowed,
            `${name}: ${n} ± ${error}, and not ${count}`,
          );
        }
        assert.equal(counts.size, 0);
      });
    }
  });
}

Deno.test("views of statistics have the columns of the prior art, each with its comment", async () => {
  await using archive = await testArchive();
  for (const [view, columns] of Object.entries(PRIOR_ART)) {
    const found = await archive.sql<{ name: string; comment: string | null }[]>`
      select attname as name, col_description(attrelid, attnum) as comment
      from pg_attribute where attrelid = ${view}::regclass and attnum > 0
      order by attnum`;
    const names = found.map(({ name }) => name);
    const missing = columns.split(" ").filter((name) => !names.includes(name));
    assert.deepEqual(missing, [], view);
    assert.deepEqual(
      found.filter(({ comment }) => comment === null).map(({ name }) => name),
      [],
      view,
    );
  }
});

Deno.test("views of statistics of an empty archive are 0 or without rows", async () => {
  await using archive = await testArchive();
  const [stats] = await archive.sql`select * from event_stats`;
  assert.equal(Number(stats!.event_count), 0);
  assert.equal(Number(stats!.unique_pubkeys), 0);
  assert.equal(stats!.earliest_event_timestamp, null);
  assert.equal(stats!.folded_at, null);
  for (const view of Object.keys(PRIOR_ART)) {
    if (view === "event_stats") continue;
    assert.equal(await archive.count(view), 0, view);
  }
});

Deno.test("figures that are to be made again are null", async () => {
  await using archive = await testArchive();
  const { sql } = archive;
  await writeHistory(archive, 300);
  await fillStatistics(sql);
  await sql`update distinct_sketch set is_stale = true`;
  for (
    const [view, figure] of [
      ["kind_counts where kind not in (445, 1059)", "unique_pubkeys"],
      ["kind_counts_by_relay where kind = 1", "unique_pubkeys"],
      ["relay_stats where event_count > 0", "unique_pubkeys"],
      ["network_stats", "event_count"],
      ["network_stats", "unique_pubkeys"],
    ] as const
  ) {
    const rows = await sql.unsafe(
      `select ${figure} as figure, ${figure}_error as error from ${view}`,
    );
    assert.ok(rows.length > 0);
    for (const row of rows) {
      assert.deepEqual({ ...row }, { figure: null, error: null });
    }
  }
});

const PRIOR_ART = {
  event_stats:
    "singleton_key event_count unique_pubkeys unique_kinds earliest_event_timestamp latest_event_timestamp regular_event_count replaceable_event_count ephemeral_event_count addressable_event_count event_count_last_1h event_count_last_24h event_count_last_7d event_count_last_30d events_per_day",
  relay_stats:
    "relay_url network discovered_at first_event_timestamp last_event_timestamp avg_rtt_open avg_rtt_read avg_rtt_write event_count unique_pubkeys unique_kinds nip11_name nip11_software nip11_version",
  kind_counts: "kind event_count unique_pubkeys category",
  kind_counts_by_relay: "kind relay_url event_count unique_pubkeys",
  pubkey_counts:
    "pubkey event_count unique_kinds first_event_timestamp last_event_timestamp",
  pubkey_counts_by_relay:
    "relay_url pubkey event_count unique_kinds first_event_timestamp last_event_timestamp",
  network_stats: "network relay_count event_count unique_pubkeys unique_kinds",
  event_daily_counts: "day event_count unique_pubkeys unique_kinds",
} as const;

/** An author as statistics tell them apart. */
const AUTHOR = "case when kind in (445, 1059, 21059) then id else pubkey end";
const SIGHTED_AUTHOR =
  "case when kind in (445, 1059, 21059) then event_id else pubkey end";
const MEASURED = "kind not in (445, 1059, 21059)";

const DOCUMENTS = `
  insert into metadata (id, type, data)
  select sha256(convert_to(name, 'UTF8')), 'nip11_info',
    jsonb_build_object('data', jsonb_build_object('name', name, 'software', 'strfry', 'version', '1.0'))
  from unnest(array['old', 'new']) as name;
  insert into relay_metadata (generated_at, relay_id, metadata_type, metadata_id)
  select at, id, 'nip11_info', sha256(convert_to(name, 'UTF8'))
  from relay cross join (values (1000, 'old'), (2000, 'new')) as said (at, name) where id % 2 = 0;
  insert into relay_check (checked_at, relay_id, open_ms, read_ms, write_ms, online)
  select 1000 + i, id, case when i > 2 then 10 * i end, case when i > 5 then 20 * i end, null, i > 2
  from relay cross join generate_series(1, 15) as i where id % 3 = 0;`;

/** What is exact, to be equal; both sides have a column of text a row. */
const VIEWS: Readonly<
  Record<string, { readonly columns: string; readonly brute: string }>
> = {
  event_stats: {
    columns:
      "concat_ws(' ', event_count, unique_pubkeys, unique_kinds, earliest_event_timestamp, latest_event_timestamp, regular_event_count, replaceable_event_count, ephemeral_event_count, addressable_event_count, event_count_last_1h, event_count_last_24h, event_count_last_7d, event_count_last_30d, events_per_day) as row",
    brute: `
      select concat_ws(' ', count(*), count(distinct ${AUTHOR}), count(distinct kind), min(created_at), max(created_at),
        count(*) filter (where kind in (1, 2) or kind between 4 and 44 or kind between 1000 and 9999),
        count(*) filter (where kind in (0, 3) or kind between 10000 and 19999),
        count(*) filter (where kind between 20000 and 29999), count(*) filter (where kind between 30000 and 39999),
        ${[3600, 86400, 7 * 86400, 30 * 86400].map(last).join(", ")},
        round(count(*) / ((max(created_at) - min(created_at)) / 86400.0), 2)) as row
      from event`,
  },
  event_daily_counts: {
    columns:
      "concat_ws(' ', day, event_count, unique_pubkeys, unique_kinds) as row",
    brute: `
      select concat_ws(' ', least((to_timestamp(created_at) at time zone 'UTC')::date, '2070-01-01'), count(*),
        count(distinct ${AUTHOR}), count(distinct kind)) as row
      from event group by least((to_timestamp(created_at) at time zone 'UTC')::date, '2070-01-01')`,
  },
  kind_counts: {
    columns: "concat_ws(' ', kind, event_count, category) as row",
    brute: `
      select concat_ws(' ', kind, count(*), case
        when kind = 1 or kind = 6 or kind = 7 or kind = 1059 or kind = 9735 then 'regular'
        when kind = 0 or kind = 3 or kind = 10002 then 'replaceable' when kind = 20001 then 'ephemeral'
        when kind = 30023 then 'addressable' else 'other' end) as row
      from event group by kind`,
  },
  kind_counts_by_relay: {
    columns: "concat_ws(' ', kind, relay_url, event_count) as row",
    brute: `
      select concat_ws(' ', kind, url, count(*)) as row
      from event_relay s join event e on e.id = event_id join relay r on r.id = relay_id group by kind, url`,
  },
  pubkey_counts: {
    columns:
      "concat_ws(' ', pubkey, encode(author_key, 'hex'), event_count, unique_kinds, first_event_timestamp, last_event_timestamp) as row",
    brute: `
      select concat_ws(' ', encode(pubkey, 'hex'), encode(pubkey, 'hex'), count(*), count(distinct kind),
        min(created_at), max(created_at)) as row
      from event where ${MEASURED} group by pubkey`,
  },
  pubkey_counts_by_relay: {
    columns:
      "concat_ws(' ', relay_url, pubkey, event_count, unique_kinds, first_event_timestamp, last_event_timestamp) as row",
    brute: `
      select concat_ws(' ', url, encode(pubkey, 'hex'), count(*), count(distinct kind), min(e.created_at), max(e.created_at)) as row
      from event_relay s join event e on e.id = event_id join relay r on r.id = relay_id
      where ${MEASURED} group by url, pubkey having count(*) >= 2`,
  },
  relay_stats: {
    columns:
      "concat_ws(' ', relay_url, network, discovered_at, event_count, unique_kinds, first_event_timestamp, last_event_timestamp, nip11_name, nip11_software, nip11_version, avg_rtt_open, avg_rtt_read, avg_rtt_write) as row",
    // Of checks 6 to 15 all opened, and all answered.
    brute: `
      select concat_ws(' ', url, network, discovered_at, count(e.id), count(distinct kind), min(e.created_at), max(e.created_at),
        case when r.id % 2 = 0 then 'new strfry 1.0' end, case when r.id % 3 = 0 then '105.00 210.00' end) as row
      from relay r left join event_relay s on r.id = relay_id left join event e on e.id = event_id group by r.id`,
  },
  network_stats: {
    columns: "concat_ws(' ', network, relay_count, unique_kinds) as row",
    brute: `
      select concat_ws(' ', network, count(distinct r.id), count(distinct kind)) as row
      from relay r left join event_relay s on r.id = relay_id left join event e on e.id = event_id group by network`,
  },
};

function last(seconds: number): string {
  return `count(*) filter (where created_at / 60 > (unix(now()) - ${seconds}) / 60 and created_at / 60 <= unix(now()) / 60)`;
}

/** What is estimated, beside its error; exact where that is null. */
const ESTIMATES = {
  "authors of kinds": {
    approximate:
      "select kind::text as name, unique_pubkeys as n, unique_pubkeys_error as error from kind_counts",
    exact:
      `select kind::text as name, count(distinct ${AUTHOR}) as n from event group by 1`,
  },
  "authors of kinds on relays": {
    approximate:
      "select kind || relay_url as name, unique_pubkeys as n, unique_pubkeys_error as error from kind_counts_by_relay",
    exact: `select kind || url as name, count(distinct ${SIGHTED_AUTHOR}) as n
      from event_relay s join event e on e.id = event_id join relay r on r.id = relay_id group by 1`,
  },
  "authors on relays": {
    approximate:
      "select relay_url as name, unique_pubkeys as n, unique_pubkeys_error as error from relay_stats",
    exact: `select url as name, count(distinct ${SIGHTED_AUTHOR}) as n
      from event_relay s join event e on e.id = event_id join relay r on r.id = relay_id group by 1`,
  },
  "authors on networks": {
    approximate:
      "select network as name, unique_pubkeys as n, unique_pubkeys_error as error from network_stats",
    exact: `select network as name, count(distinct ${SIGHTED_AUTHOR}) as n
      from event_relay s join event e on e.id = event_id join relay r on r.id = relay_id group by 1`,
  },
  "events on networks": {
    approximate:
      "select network as name, event_count as n, event_count_error as error from network_stats",
    exact: `select network as name, count(distinct e.id) as n
      from event_relay s join event e on e.id = event_id join relay r on r.id = relay_id group by 1`,
  },
} as const;

function sorted(rows: readonly Record<string, unknown>[]): unknown[] {
  return rows.map(({ row }) => row).sort();
}
