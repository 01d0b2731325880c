/**
 * Derived facts counted from the events as they are, one by one and with nothing of the code under test but readZap().
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readZap, type Zap } from "../../src/nips/nip57.ts";
import type { Verifier } from "../../src/nips/verify/verifier.ts";
import type { TestArchive } from "./archive.ts";

interface Row {
  readonly id: string;
  readonly pubkey: string;
  readonly kind: number;
  readonly created_at: number;
  readonly tags: readonly (readonly string[])[];
}

type Counts = Record<string, number | bigint>;

/** Throws when derived facts are not what the events say, to the last number. */
export async function assertDerived(
  { sql }: TestArchive,
  verifier: Verifier,
): Promise<void> {
  const events = (await sql`
    select encode(id, 'hex') as id, encode(pubkey, 'hex') as pubkey, kind, created_at::int4, tags::text
    from event order by created_at, id`).map((row) => ({
    ...row,
    tags: JSON.parse(row.tags),
  })) as unknown as Row[];
  assert.deepEqual(await storedContacts(sql), contactsOf(events));
  const expected = assertionsOf(events, verifier);
  assert.deepEqual(await storedAuthors(sql), expected.authors);
  assert.deepEqual(await storedTargets(sql), expected.targets);
  const topics = await sql`
    select encode(a.pubkey, 'hex') || ' ' || t.topic as topic, t.events
    from author_topic t left join author a on a.id = t.author`;
  assert.deepEqual(
    sorted(topics.map(({ topic, events }) => [topic, events])),
    sorted([...expected.topics]),
  );
  const [unused] = await sql`
    select count(*)::int4 as count from author
    where events = 0 and author_is_unused(id)`;
  assert.equal(unused!.count, 0);
}

function sorted<T>(rows: readonly (readonly [string, T])[]) {
  return rows.toSorted(([a], [b]) => a < b ? -1 : 1);
}

async function storedContacts(sql: TestArchive["sql"]) {
  const rows = await sql`
    select encode(a.pubkey, 'hex') as follower, encode(b.pubkey, 'hex') as followed
    from contact c left join author a on a.id = c.follower left join author b on b.id = c.followed`;
  const lists = await sql`
    select encode(a.pubkey, 'hex') as author, encode(l.id, 'hex') as id, l.follows
    from contact_list l left join author a on a.id = l.author`;
  const totals = await sql`
    select encode(a.pubkey, 'hex') as author, t.followers
    from contact_total t left join author a on a.id = t.author`;
  return {
    contacts: rows.map((row) => `${row.follower} ${row.followed}`).sort(),
    lists: lists.map((row) => `${row.author} ${row.id} ${row.follows}`).sort(),
    totals: totals.map((row) => `${row.author} ${row.followers}`).sort(),
  };
}

function contactsOf(events: readonly Row[]) {
  const newest = new Map<string, Row>();
  for (const event of events.filter(({ kind }) => kind === 3)) {
    const other = newest.get(event.pubkey);
    const isNewer = other === undefined ||
      event.created_at > other.created_at ||
      event.created_at === other.created_at && event.id < other.id;
    if (isNewer) newest.set(event.pubkey, event);
  }
  const contacts: string[] = [];
  const lists: string[] = [];
  const followers = new Map<string, number>();
  for (const { pubkey, id, tags } of newest.values()) {
    const follows = new Set(
      tags.filter((tag) =>
        tag[0] === "p" && tag[1] !== undefined &&
        /^[0-9a-f]{64}$/.test(tag[1]) && tag[1] !== pubkey
      ).map((tag) => tag[1]!),
    );
    lists.push(`${pubkey} ${id} ${follows.size}`);
    for (const followed of follows) {
      contacts.push(`${pubkey} ${followed}`);
      followers.set(followed, (followers.get(followed) ?? 0) + 1);
    }
  }
  const totals = [...followers].map(([author, count]) => `${author} ${count}`);
  return {
    contacts: contacts.sort(),
    lists: lists.sort(),
    totals: totals.sort(),
  };
}

const AUTHOR = [
  "posts",
  "replies",
  "reactions_sent",
  "reactions_received",
  "reposts_sent",
  "reposts_received",
  "reports_sent",
  "reports_received",
  "zaps_sent",
  "zaps_received",
  "unverified_zaps",
  "zap_msats_sent",
  "zap_msats_received",
];
const TARGET = [
  "comments",
  "quotes",
  "reposts",
  "reactions",
  "zaps",
  "unverified_zaps",
  "zap_msats",
];

async function storedAuthors(sql: TestArchive["sql"]) {
  const rows = await sql`
    select encode(a.pubkey, 'hex') as key, f.* from author_fact f left join author a on a.id = f.author`;
  return sorted(rows.map((row) => [
    row.key,
    `${AUTHOR.map((name) => Number(row[name])).join()} ${row.hours}`,
  ]));
}

async function storedTargets(sql: TestArchive["sql"]) {
  const rows = await sql`
    select encode(target, 'hex') as key, * from target_fact`;
  return sorted(
    rows.map((row) => [
      row.key,
      TARGET.map((name) => Number(row[name])).join(),
    ]),
  );
}

function assertionsOf(events: readonly Row[], verifier: Verifier) {
  const authors = new Map<string, Counts>();
  const hours = new Map<string, number[]>();
  const targets = new Map<string, Counts>();
  const topics = new Map<string, number>();
  const requests = new Set<string>();
  const add = (
    map: Map<string, Counts>,
    key: string,
    name: string,
    amount = 1,
  ) => {
    const counts = map.get(key) ?? {};
    counts[name] = Number(counts[name] ?? 0) + amount;
    map.set(key, counts);
  };
  const author = (key: string | undefined, name: string, amount = 1) => {
    if (key !== undefined && /^[0-9a-f]{64}$/.test(key)) {
      add(authors, key, name, amount);
    }
  };
  const target = (text: string | undefined, name: string, amount = 1) => {
    if (text === undefined) return;
    if (/^[0-9a-f]{64}$/.test(text)) add(targets, text, name, amount);
    else if (/^(0|[1-9]\d{0,4}):[0-9a-f]{64}:/.test(text)) {
      add(
        targets,
        createHash("sha256").update(text).digest("hex"),
        name,
        amount,
      );
    }
  };
  const receipts = events.filter(({ kind }) => kind === 9_735);
  for (const { tags } of receipts) {
    const read = readZap(tags, (event) => verifier.verify(event));
    const first = (name: string) =>
      tags.find((tag) => tag[0] === name && tag[1] !== undefined)?.[1];
    if (!read.ok) {
      author(first("p"), "unverified_zaps");
      target(first("e"), "unverified_zaps");
      target(first("a"), "unverified_zaps");
      continue;
    }
    const zap: Zap = read.value;
    if (requests.has(zap.request)) continue;
    requests.add(zap.request);
    author(zap.sender, "zaps_sent");
    author(zap.sender, "zap_msats_sent", zap.msats);
    author(zap.recipient, "zaps_received");
    author(zap.recipient, "zap_msats_received", zap.msats);
    for (const text of [zap.eventId, zap.address]) {
      target(text ?? undefined, "zaps");
      target(text ?? undefined, "zap_msats", zap.msats);
    }
  }
  const counted = [1, 6, 7, 16, 1_111, 1_984];
  for (const event of events.filter(({ kind }) => counted.includes(kind))) {
    const { pubkey, kind, tags } = event;
    const values = (name: string) =>
      tags.filter((tag) => tag[0] === name && tag.length > 1)
        .map((tag) => tag[1]!);
    const ofDay = hours.get(pubkey) ?? Array(24).fill(0);
    ofDay[new Date(event.created_at * 1000).getUTCHours()]++;
    hours.set(pubkey, ofDay);
    if (kind === 1) {
      const answers = tags.filter((tag) =>
        tag[0] === "e" && /^[0-9a-f]{64}$/.test(tag[1] ?? "")
      );
      const by = (marker: string) =>
        answers.filter((tag) => (tag[3] ?? "") === marker).at(-1)?.[1];
      const parent = by("reply") ?? by("root") ?? by("");
      author(pubkey, parent ? "replies" : "posts");
      target(parent, "comments");
    } else if (kind === 1_111) {
      author(pubkey, "replies");
      target(values("e")[0], "comments");
      target(values("a")[0], "comments");
    } else if (kind === 1_984) {
      author(pubkey, "reports_sent");
      author(values("p")[0], "reports_received");
    } else {
      const what = kind === 7 ? "reactions" : "reposts";
      author(pubkey, `${what}_sent`);
      author(values("p").at(-1), `${what}_received`);
      target(values("e").at(-1), what);
      target(values("a").at(-1), what);
    }
    if (kind === 1 || kind === 1_111) {
      for (const quoted of [...new Set(values("q"))].slice(0, 10)) {
        target(quoted, "quotes");
      }
      const named = values("t")
        .map((value) => value.trim().replace(/^#/, "").toLowerCase())
        .filter((topic) => topic !== "" && topic.length <= 50);
      for (const topic of [...new Set(named)].slice(0, 10)) {
        const key = `${pubkey} ${topic}`;
        topics.set(key, (topics.get(key) ?? 0) + 1);
      }
    }
  }
  return {
    topics,
    authors: sorted([...authors].map(([key, counts]) => [
      key,
      `${AUTHOR.map((name) => Number(counts[name] ?? 0)).join()} ${
        hours.get(key) ?? Array(24).fill(0)
      }`,
    ])),
    targets: sorted([...targets].map(([key, counts]) => [
      key,
      TARGET.map((name) => Number(counts[name] ?? 0)).join(),
    ])),
  };
}
