/**
 * The queries of docs/data.md: each finds something, and none reads a large table from end to end.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { TestArchive } from "../../support/archive.ts";
import { fillStatistics } from "../../support/brute_statistics.ts";
import { testOnEachServer } from "../../support/each_server.ts";
import { populate, SUBJECT } from "../../support/populated_archive.ts";

const PAGE = new URL("../../../docs/data.md", import.meta.url);

/** Tables that grow with the network and with time; of one that is not among them all rows may be read. */
const LARGE = [
  "author_day",
  "event",
  "event_raw",
  "metadata",
  "relay_author",
  "relay_check",
  "relay_check_rollup",
  "relay_metadata",
  "rejected_event",
  "sighting_log",
  "sighting_page",
  "sync_gap",
];

testOnEachServer(
  "each query of docs/data.md finds something, by indexes",
  async (archive) => {
    await populate(archive);
    await fillStatistics(archive.sql);
    await archive.sql.unsafe("vacuum analyze");
    const queries = queriesOf(await Deno.readTextFile(PAGE));
    assert(queries.length >= 30, `only ${queries.length} queries were read`);
    const faults: string[] = [];
    for (const { title, text } of queries) {
      const fault = await faultOf(archive, text);
      if (fault !== null) faults.push(`${title}: ${fault}`);
    }
    assert.deepEqual(faults, []);
  },
);

testOnEachServer(
  "a role that may only read can run all of them",
  async (archive) => {
    await populate(archive);
    const { sql } = archive;
    const queries = queriesOf(await Deno.readTextFile(PAGE));
    const role = sql(`research_${crypto.randomUUID().replaceAll("-", "")}`);
    await sql`create role ${role}`;
    try {
      await sql`grant select on all tables in schema public to ${role}`;
      await sql.begin(async (sql) => {
        await sql`set local role ${role}`;
        await sql`set transaction read only`;
        for (const { text } of queries) await sql.unsafe(text);
      });
    } finally {
      await sql`drop owned by ${role}`;
      await sql`drop role ${role}`;
    }
  },
);

testOnEachServer(
  "a plan that reads a large table is found out",
  async (archive) => {
    await populate(archive);
    const slow = [
      `select * from event where encode(id, 'hex') = '${SUBJECT.eventId}'`,
      "select * from event_readable where created_time > now() - interval '1 hour'",
      `select * from event where tags @> '[["t", "bitcoin"]]'`,
      "select count(*) from event",
      "select * from event_relay_readable where event_id_hex = 'ab'",
    ];
    for (const text of slow) {
      assert.match(
        String(await faultOf(archive, text)),
        /reads all of (event|sighting_log|sighting_page)$/,
      );
    }
  },
);

testOnEachServer(
  "events_by_tag() gives what a look at every event gives",
  async (archive) => {
    await populate(archive);
    const { sql } = archive;
    const asked = [
      ["t", "topic3", null, null, null],
      ["t", "nothing", null, null, null],
      ["p", SUBJECT.pubkey, "{1,7}", null, null],
      ["t", "topic0", "{1}", "20 days", "2 days"],
    ] as const;
    for (const [name, value, kinds, since, until] of asked) {
      const [row] = await sql`
        select array(select id_hex from events_by_tag(${name}, ${value},
            ${kinds}::text::int4[], now() - ${since}::text::interval,
            now() - ${until}::text::interval)) as found,
          array(select encode(id, 'hex') from event e
            where exists (select from jsonb_array_elements(tags) as tag
                where tag ->> 0 = ${name} and tag ->> 1 = ${value})
              and (${kinds}::text is null
                or kind = any (${kinds}::text::int4[]))
              and (${since}::text is null
                or to_timestamp(created_at) >= now() - ${since}::text::interval)
              and (${until}::text is null
                or to_timestamp(created_at) <= now() - ${until}::text::interval)
            order by created_at desc, id) as wanted,
          array(select id_hex from events_by_tag(${name}, ${value},
            ${kinds}::text::int4[], now() - ${since}::text::interval,
            now() - ${until}::text::interval, 2)) as newest`;
      assert.deepEqual(row!.found, row!.wanted);
      assert.deepEqual(row!.newest, row!.wanted.slice(0, 2));
      assert.equal(row!.found.length === 0, value === "nothing");
    }
  },
);

testOnEachServer(
  "events_by_tag() refuses names that are not indexed",
  async ({ sql }) => {
    const named = sql`select * from events_by_tag('alt', 'x')`;
    await assert.rejects(named, /only names of one letter are indexed/);
  },
);

testOnEachServer(
  "a lite archive has the readable views, and says that it has no tags",
  async ({ sql }) => {
    await sql`insert into event (created_at, seen_at, kind, id, pubkey)
      values (1, 1, 1, sha256('id'), sha256('key'))`;
    const [row] = await sql`select kind, content from event_readable`;
    assert.deepEqual({ ...row }, { kind: 1, content: null });
    const asked = sql`select * from events_by_tag('t', 'bitcoin')`;
    await assert.rejects(asked, /this archive is lite and keeps none/);
  },
  { edition: "lite" },
);

interface PageQuery {
  readonly title: string;
  readonly text: string;
}

/** The blocks of SQL on a page, each with the bold line above it. */
function queriesOf(page: string): PageQuery[] {
  const blocks = page.matchAll(/^\*\*(.+)\*\*\n```sql\n([^`]+);\n```$/gm);
  const queries = [...blocks].map(([, title = "", text = ""]) => ({
    title,
    text,
  }));
  const marks = page.match(/^```sql$/gm) ?? [];
  assert.equal(queries.length, marks.length, "a query has no title above it");
  return queries;
}

/** What is wrong with a query; null when nothing is. */
async function faultOf(
  { sql }: TestArchive,
  text: string,
): Promise<string | null> {
  const [row] = await sql.unsafe(`explain (format json) ${text}`);
  const table = wholeTable(row!["QUERY PLAN"][0].Plan, false);
  if (table !== null) return `reads all of ${table}`;
  const rows = await sql.unsafe(text);
  return rows.length > 0 ? null : "finds nothing";
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly "Recheck Cond"?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Steps that pass rows on as they come: below a limit they read no more than it wants. */
const PASSING = ["Limit", "Nested Loop", "Memoize", "Subquery Scan", "Result"];

/** The first large table that a plan reads from end to end, with or without an index; null when there is none. */
function wholeTable(node: PlanNode, isLimited: boolean): string | null {
  const type = node["Node Type"];
  const table = node["Relation Name"] ?? "";
  if (LARGE.includes(table)) {
    const isAsked = "Index Cond" in node || "Recheck Cond" in node;
    const isOrdered = type.startsWith("Index") && isLimited;
    if (!isAsked && !isOrdered) return table;
  }
  const below = type === "Limit" || (isLimited && PASSING.includes(type));
  for (const child of node.Plans ?? []) {
    const found = wholeTable(child, below);
    if (found !== null) return found;
  }
  return null;
}
