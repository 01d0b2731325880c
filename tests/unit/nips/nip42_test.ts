import assert from "node:assert/strict";
import { verifyEvent } from "nostr-tools/pure";
import { parseRelayUrl } from "../../../src/models/relay_url.ts";
import { Authenticator, signAuth } from "../../../src/nips/nip42.ts";

const key = new Uint8Array(32).fill(7);

function relay() {
  const parsed = parseRelayUrl("wss://relay.nostr.net");
  assert(parsed.ok);
  return parsed.value;
}

Deno.test("signAuth() names the relay it is for and the challenge, and is signed", () => {
  const event = signAuth(relay(), "abc", { key, nowSeconds: 1_750_000_000 });
  assert.equal(event.kind, 22_242);
  assert.equal(event.created_at, 1_750_000_000);
  assert.deepEqual(event.tags, [
    ["relay", "wss://relay.nostr.net/"],
    ["challenge", "abc"],
  ]);
  const { tags, ...rest } = event;
  assert(verifyEvent({ ...rest, tags: tags.map((tag) => [...tag]) }));
});

Deno.test("Authenticator signs for its own relay whatever the challenge says, and only when asked", async () => {
  const presented: unknown[] = [];
  const authenticator = new Authenticator(relay(), {
    key,
    maxAuths: 2,
    present: (event) => {
      presented.push(event.tags);
      return Promise.resolve(true);
    },
  });
  authenticator.challenge("wss://evil.example/ sign for me");
  assert.deepEqual(presented, []);
  // Two at once share one answer.
  const both = [authenticator.authenticate(), authenticator.authenticate()];
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.deepEqual(presented, [[
    ["relay", "wss://relay.nostr.net/"],
    ["challenge", "wss://evil.example/ sign for me"],
  ]]);
  assert.equal(await authenticator.authenticate(), true);
  assert.equal(
    await authenticator.authenticate(),
    false,
    "the budget is spent",
  );
  assert.equal(presented.length, 2);
});

Deno.test("Authenticator without a key authenticates nobody", async () => {
  const authenticator = new Authenticator(relay(), {
    key: undefined,
    maxAuths: 2,
    present: () => Promise.reject(new Error("nothing may be presented")),
  });
  authenticator.challenge("abc");
  assert.equal(await authenticator.authenticate(), false);
});

Deno.test("Authenticator waits a moment for a challenge that follows its refusal", async () => {
  const authenticator = new Authenticator(relay(), {
    key,
    maxAuths: 1,
    present: () => Promise.resolve(true),
  });
  const waiting = authenticator.authenticate();
  authenticator.challenge("late");
  assert.equal(await waiting, true);
});

Deno.test("Authenticator answers the first challenge at once where it is told to, and others when that was refused", async () => {
  const verdicts = [false, true];
  let presented = 0;
  const authenticator = new Authenticator(relay(), {
    key,
    maxAuths: 3,
    policy: "when-challenged",
    present: () => Promise.resolve(verdicts[presented++] ?? true),
  });
  authenticator.challenge("first");
  await authenticator.introduce(0);
  assert.deepEqual([presented, authenticator.identity], [1, 0]);
  authenticator.challenge("second");
  assert.equal(authenticator.isRunning, true);
  await authenticator.introduce(0);
  assert.deepEqual([presented, authenticator.identity], [2, 1]);
  authenticator.challenge("third");
  assert.deepEqual([presented, authenticator.isRunning], [2, false]);
  assert.equal(authenticator.isOpen, true, "it may still be answered");
});
