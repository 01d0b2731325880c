import assert from "node:assert/strict";
import { unwrapEvent } from "nostr-tools/nip17";
import { getPublicKey, verifyEvent } from "nostr-tools/pure";
import { directMessage, messageRelays } from "../../../src/nips/nip17.ts";

const sender = new Uint8Array(32).fill(7);
const receiver = new Uint8Array(32).fill(8);

Deno.test("directMessage() is read by its receiver and tells nobody else who wrote it", () => {
  const wrap = directMessage("Hello", {
    key: sender,
    receiver: getPublicKey(receiver),
    subject: "Greeting",
  });
  const tags = wrap.tags.map((tag) => [...tag]);
  assert(verifyEvent({ ...wrap, tags }));
  assert.equal(wrap.kind, 1_059);
  assert.deepEqual(wrap.tags, [["p", getPublicKey(receiver)]]);
  assert(!JSON.stringify(wrap).includes(getPublicKey(sender)));
  const rumor = unwrapEvent({ ...wrap, tags }, receiver);
  assert.deepEqual([rumor.kind, rumor.content, rumor.pubkey], [
    14,
    "Hello",
    getPublicKey(sender),
  ]);
  assert.deepEqual(rumor.tags, [
    ["p", getPublicKey(receiver)],
    ["subject", "Greeting"],
  ]);
});

Deno.test("messageRelays() gives the few relays that can be used", () => {
  const tags = [
    ["relay", "wss://inbox.nostr.wine/"],
    ["relay", "https://nos.lol"],
    ["relay"],
    ["r", "wss://nos.lol"],
    ["relay", "ws://127.0.0.1:1"],
  ];
  const urls = messageRelays({ tags }, {}).map(({ url }) => url);
  assert.deepEqual(urls, ["wss://inbox.nostr.wine"]);
  const many = Array.from({ length: 9 }, (_, i) => ["relay", `wss://a${i}.io`]);
  assert.equal(messageRelays({ tags: many }, {}).length, 5);
});
