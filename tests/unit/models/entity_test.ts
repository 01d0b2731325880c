import assert from "node:assert/strict";
import {
  naddrEncode,
  neventEncode,
  noteEncode,
  nprofileEncode,
  npubEncode,
  nsecEncode,
} from "nostr-tools/nip19";
import { parseEntity } from "../../../src/models/entity.ts";

const KEY = "ab".repeat(32);
const ID = "cd".repeat(32);

Deno.test("parseEntity() reads each entity, behind nostr: and in capitals, too, and leaves hints out", () => {
  const relays = ["wss://relay.example"];
  const address = { kind: 30_023, pubkey: KEY, identifier: "x" };
  const cases = [
    [npubEncode(KEY), { type: "author", pubkey: KEY }],
    [nprofileEncode({ pubkey: KEY, relays }), { type: "author", pubkey: KEY }],
    [noteEncode(ID), { type: "event", id: ID }],
    [neventEncode({ id: ID, relays, author: KEY }), { type: "event", id: ID }],
    [naddrEncode({ ...address, relays }), { type: "address", ...address }],
  ] as const;
  for (const [text, entity] of cases) {
    assert.deepEqual(parseEntity(text), entity);
    assert.deepEqual(parseEntity(`nostr:${text}`), entity);
    assert.deepEqual(parseEntity(text.toUpperCase()), entity);
  }
});

Deno.test("parseEntity() gives null for a secret key, a typing error and anything else", () => {
  const npub = npubEncode(KEY);
  const wrong = npub.slice(0, -1) + (npub.endsWith("q") ? "p" : "q");
  const secret = nsecEncode(new Uint8Array(32).fill(7));
  for (const text of [secret, wrong, KEY, "", "npub1", "nostr:", "nostr:x"]) {
    assert.equal(parseEntity(text), null, text);
  }
});
