import assert from "node:assert/strict";
import { getPublicKey, verifyEvent } from "nostr-tools/pure";
import { parseEvent } from "../../../src/models/event.ts";
import { signEvent } from "../../../src/nips/sign_event.ts";
import { loadVerifier } from "../../../src/nips/verify/verifier.ts";
import { checkEvent } from "../../support/check_event.ts";

const KEY = Uint8Array.fromHex(
  "b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
);
const UNSIGNED = {
  pubkey: getPublicKey(KEY),
  created_at: 1_760_000_000,
  kind: 30_166,
  tags: [["d", "wss://relay.test/"], ["n", "clearnet"]],
  content: 'ünïcode "quoted" \n \u{1f5ff}',
};

Deno.test("signEvent() signs what nostr-tools and our own verifier take, with a new nonce each time", async () => {
  using verifier = await loadVerifier();
  const signed = signEvent(UNSIGNED, KEY);
  const parsed = parseEvent(JSON.parse(JSON.stringify(signed)));
  assert(parsed.ok);
  assert(checkEvent(parsed.value, verifier).ok);
  const tags = signed.tags.map((tag) => [...tag]);
  assert(verifyEvent({ ...signed, tags }));
  const { id, sig, ...rest } = signed;
  assert.deepEqual(rest, UNSIGNED);
  const again = signEvent(UNSIGNED, KEY);
  assert.equal(again.id, id);
  assert.notEqual(again.sig, sig);
  assert(!verifyEvent({ ...signed, tags, content: "another" }));
});

Deno.test("signEvent() drops what is no field of an event", () => {
  const more = { ...UNSIGNED, secret: "not to be sent" };
  const signed = signEvent(more, KEY);
  assert.deepEqual(Object.keys(signed).sort(), [
    "content",
    "created_at",
    "id",
    "kind",
    "pubkey",
    "sig",
    "tags",
  ]);
});
