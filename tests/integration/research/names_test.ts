/**
 * SQL functions that give bytes and seconds the names people use (sql/functions/80_names.sql), against nostr-tools.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as nip19 from "nostr-tools/nip19";
import { testArchive } from "../../support/archive.ts";
import { testOnEachServer } from "../../support/each_server.ts";

/** Bytes that are different each, and the same in every run. */
const BYTES = [
  "00".repeat(32),
  "ff".repeat(32),
  ...Array.from({ length: 200 }, (_, i) => sha256(`bytes ${i}`)),
];
const KEY = sha256("key");
const SECRET = new Uint8Array(32).fill(7);

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

testOnEachServer(
  "npub() and note() write what nostr-tools writes, from_npub() and from_note() read it back",
  async ({ sql }) => {
    const rows = await sql`
      select npub(bytes), note(bytes), hex(bytes),
        from_npub(npub(bytes)) = bytes and from_note(note(bytes)) = bytes
          and from_npub(upper(npub(bytes))) = bytes
          and from_hex(hex(bytes)) = bytes as "isSame"
      from unnest(${BYTES}::text[]) with ordinality as given (digits, i)
      cross join lateral (select decode(digits, 'hex') as bytes) as decoded
      order by i`;
    assert.deepEqual(
      [...rows],
      BYTES.map((hex) => ({
        npub: nip19.npubEncode(hex),
        note: nip19.noteEncode(hex),
        hex,
        isSame: true,
      })),
    );
  },
);

Deno.test("from_npub() reads keys however they are given, from_note() ids", async () => {
  await using archive = await testArchive();
  const relays = ["wss://relay.example/", "wss://other.example/path"];
  const author = sha256("author");
  const keys = [
    KEY,
    KEY.toUpperCase(),
    ` ${nip19.npubEncode(KEY)}\n`,
    `nostr:${nip19.npubEncode(KEY)}`,
    nip19.nprofileEncode({ pubkey: KEY, relays }),
  ];
  const ids = [
    KEY,
    nip19.noteEncode(KEY),
    nip19.neventEncode({ id: KEY, relays, author, kind: 1 }),
  ];
  const [row] = await archive.sql`
    select array(select hex(from_npub(text)) from unnest(${keys}::text[]) as text)
        as keys,
      array(select hex(from_note(text)) from unnest(${ids}::text[]) as text)
        as ids`;
  assert.deepEqual(row!.keys, keys.map(() => KEY));
  assert.deepEqual(row!.ids, ids.map(() => KEY));
});

Deno.test("what is no key is refused with the reason, and never quoted", async () => {
  await using archive = await testArchive();
  const npub = nip19.npubEncode(KEY);
  const swapped = npub.replace(/.$/, (last) => last === "q" ? "p" : "q");
  const refused: Record<string, RegExp> = {
    "": /expected is npub1…, nprofile1… or 64 hex digits/,
    [KEY.slice(1)]: /expected is npub1…/,
    [nip19.nsecEncode(SECRET)]: /expected is npub1…/,
    [nip19.noteEncode(KEY)]: /expected is npub1…/,
    [swapped]: /checksum is wrong/,
    [npub.slice(0, -1)]: /checksum is wrong/,
    [npub.replace("npub1", "npub1b")]: /its character 6 is not of bech32/,
    [npub.slice(0, 10) + npub.slice(10).toUpperCase()]: /not bech32/,
    "npub1": /not bech32/,
    [`npub1${"q".repeat(6_000)}`]: /not bech32/,
  };
  for (const [text, expected] of Object.entries(refused)) {
    await assert.rejects(archive.sql`select from_npub(${text})`, (error) => {
      assert(error instanceof Error);
      assert.match(error.message, expected);
      assert(text.length < 6 || !error.message.includes(text));
      return true;
    });
  }
  await assert.rejects(archive.sql`select npub('\\x12')`, /it has 32 bytes/);
});

Deno.test("unix() and from_unix() are each other's inverse in any time zone, and no second is too far", async () => {
  await using archive = await testArchive();
  const [row] = await archive.sql.begin(async (sql) => {
    await sql`set local timezone to 'Asia/Kathmandu'`;
    return await sql`
      select unix('2026-02-05T10:00:00Z') as moment,
        unix('2026-02-05 00:00') as "midnight",
        from_unix(1770285600) = '2026-02-05T10:00:00Z' as "isSame",
        bool_and(unix(from_unix(second)) = second) as "isInverse",
        from_unix(9223372036854775807)::text as far,
        unix('infinity') as infinity, unix('-infinity') as beginning
      from unnest('{0,1,1770285600,253402300800}'::int8[]) as second`;
  });
  assert.deepEqual({ ...row }, {
    moment: "1770285600",
    midnight: String(Date.UTC(2026, 1, 4, 18, 15) / 1_000),
    isSame: true,
    isInverse: true,
    far: "infinity",
    infinity: "9223372036854775807",
    beginning: "0",
  });
});
