import assert from "node:assert/strict";
import { npubEncode, nsecEncode } from "nostr-tools/nip19";
import { getPublicKey } from "nostr-tools/pure";
import { parsePublicKey } from "../../../src/models/public_key.ts";

const secret = new Uint8Array(32).fill(7);
const key = getPublicKey(secret);

Deno.test("parsePublicKey() takes hex and npub, in any case", () => {
  for (const text of [key, key.toUpperCase(), npubEncode(key)]) {
    assert.deepEqual(parsePublicKey(text), { ok: true, value: key });
  }
});

Deno.test("parsePublicKey() refuses what is no key, and never quotes it", () => {
  const nsec = nsecEncode(secret);
  for (const text of ["", "npub1", key.slice(1), nsec, "00".repeat(32)]) {
    const parsed = parsePublicKey(text);
    assert(!parsed.ok, text);
    assert(
      text === "" || text === "npub1" || !parsed.failure.detail.includes(text),
    );
  }
});
