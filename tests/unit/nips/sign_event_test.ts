import assert from "node:assert/strict";
import { getPublicKey, verifyEvent } from "nostr-tools/pure";
import { signSchnorr } from "tiny-secp256k1";
import { parseEvent } from "../../../src/models/event.ts";
import { signEvent } from "../../../src/nips/sign_event.ts";
import { BIP340_VECTORS } from "../../../src/nips/verify/bip340_vectors.ts";
import { checkEvent, loadVerifier } from "../../../src/nips/verify/verifier.ts";

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
  const signed = await signEvent(UNSIGNED, KEY);
  const parsed = parseEvent(JSON.parse(JSON.stringify(signed)));
  assert(parsed.ok);
  assert(checkEvent(parsed.value, verifier).ok);
  const tags = signed.tags.map((tag) => [...tag]);
  assert(verifyEvent({ ...signed, tags }));
  const { id, sig, ...rest } = signed;
  assert.deepEqual(rest, UNSIGNED);
  const again = await signEvent(UNSIGNED, KEY);
  assert.equal(again.id, id);
  assert.notEqual(again.sig, sig);
  assert(!verifyEvent({ ...signed, tags, content: "another" }));
});

Deno.test("signEvent() drops what is no field of an event", async () => {
  const more = { ...UNSIGNED, secret: "not to be sent" };
  const signed = await signEvent(more, KEY);
  assert.deepEqual(Object.keys(signed).sort(), [
    ...["content", "created_at", "id", "kind", "pubkey", "sig", "tags"],
  ]);
});

Deno.test("what signs events reproduces the signatures of BIP-340", () => {
  // Secret key and auxiliary random data of the official vectors 0 to 2; public keys and messages are in BIP340_VECTORS.
  const secrets = [
    ["3".padStart(64, "0"), "".padStart(64, "0")],
    [KEY.toHex(), "1".padStart(64, "0")],
    [
      "c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9",
      "c87aa53824b4d7ae2eb035a2b5bbbccc080e76cdc6d1692c4b0b62d798e6d906",
    ],
  ];
  for (const [index, [secret = "", random = ""]] of secrets.entries()) {
    const vector = BIP340_VECTORS.find((it) => it.index === index);
    const [, message = "", signature] = vector?.hex ?? [];
    const [m, k, r] = [message, secret, random].map((it) =>
      Uint8Array.fromHex(it)
    );
    assert.equal(signSchnorr(m!, k!, r).toHex(), signature, `${index}`);
  }
});
