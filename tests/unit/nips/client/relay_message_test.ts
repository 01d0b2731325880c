import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRelayMessage } from "../../../../src/nips/client/relay_message.ts";

function parse(...message: unknown[]) {
  return parseRelayMessage(JSON.stringify(message), 1_000);
}

Deno.test("parseRelayMessage() knows each message of NIP-01, 42 and 45", () => {
  const none = { prefix: "none", text: "" };
  assert.deepEqual(parse("EVENT", "s", { id: 1 }), {
    type: "EVENT",
    subId: "s",
    event: { id: 1 },
  });
  assert.deepEqual(parse("CLOSED", "s", "blocked: no"), {
    type: "CLOSED",
    subId: "s",
    reason: { prefix: "blocked", text: "blocked: no" },
  });
  assert.deepEqual(parse("OK", "id", true, ""), {
    type: "OK",
    id: "id",
    accepted: true,
    reason: none,
  });
  assert.deepEqual(parse("OK", "id"), {
    type: "OK",
    id: "id",
    accepted: false,
    reason: none,
  });
  assert.deepEqual(parse("NOTICE", "hi"), { type: "NOTICE", text: "hi" });
  assert.deepEqual(parse("AUTH", "c"), { type: "AUTH", challenge: "c" });
  assert.deepEqual(parse("COUNT", "s", { count: 5, approximate: true }), {
    type: "COUNT",
    subId: "s",
    count: 5,
    approximate: true,
  });
});

Deno.test("parseRelayMessage() knows what NIP-77 sends", () => {
  assert.deepEqual(parse("NEG-MSG", "s", "61"), {
    type: "NEG-MSG",
    subId: "s",
    message: "61",
  });
  const reason = { prefix: "blocked", text: "blocked: too big" };
  for (const [count, maxRecords] of [[500, 500], ["500", 500], [-1], [null]]) {
    assert.deepEqual(parse("NEG-ERR", "s", "blocked: too big", count), {
      type: "NEG-ERR",
      subId: "s",
      reason,
      maxRecords,
    });
  }
});

Deno.test("parseRelayMessage() takes an EOSE with whatever comes after it", () => {
  const hintOf = (...extra: unknown[]) => {
    const message = parse("EOSE", "s", ...extra);
    assert.equal(message.type, "EOSE");
    return message.type === "EOSE" ? message.hint : undefined;
  };
  assert.equal(hintOf(), undefined);
  assert.equal(hintOf(["finish"]), "finish");
  assert.equal(hintOf(["new-hint", "more"]), "more");
  assert.equal(hintOf(["finish", "more"]), "more");
  assert.equal(hintOf({ "some": "object" }), undefined);
  assert.equal(hintOf("finish"), undefined);
  assert.equal(hintOf(null, 5), undefined);
});

Deno.test("parseRelayMessage() tells strangers from garbage", () => {
  const strangers = [
    ["NEG-MSG", "s", 61],
    ["NEG-ERR"],
    ["NEG-STATUS", "s", "61"],
    ["EVENT", "s"],
    ["EVENT", 5, {}],
    ["EOSE"],
    ["OK", null, true],
    ["AUTH", "x".repeat(2_000)],
    ["COUNT", "s", { count: -1 }],
    ["COUNT", "s", null],
  ];
  for (const message of strangers) {
    assert.equal(parse(...message).type, "unknown", JSON.stringify(message));
  }
  for (const text of ["", "{}", "[]", "[5]", "null", "<html>", "not json"]) {
    assert.equal(parseRelayMessage(text, 1_000).type, "garbage", text);
  }
});

Deno.test("parseRelayMessage() does not parse an event that is too long, but knows whose it is", () => {
  const long = "x".repeat(2_000);
  const tooLarge = { type: "unread", cause: "too-large", subId: "s" };
  assert.deepEqual(parse("EVENT", "s", { content: long }), {
    ...tooLarge,
    head: {},
  });
  const id = "ab".repeat(32);
  const content = `,"created_at":7,"id":"${"0".repeat(64)}"${long}`;
  const event = { content, tags: [["{", content]], created_at: 9, id };
  assert.deepEqual(parse("EVENT", "s", event), {
    ...tooLarge,
    head: { id, createdAt: 9 },
  }, "no content passes for a field");
  const spaced = `[ "EVENT" , "s" , {"content":"${long}"}]`;
  assert.equal(parseRelayMessage(spaced, 1_000).type, "unread");
  assert.equal(parse("NOTICE", long).type, "NOTICE");
  assert.equal(parse("NOISE", long).type, "unknown");
});

Deno.test("parseRelayMessage() drops nothing that may have been an event", () => {
  const id = "ab".repeat(32);
  const event = { id, created_at: 9, content: "one\ntwo" };
  const text = JSON.stringify(["EVENT", "s", event]);
  const head = { id, createdAt: 9 };
  const garbled = { type: "unread", cause: "garbled", subId: "s" };
  const misaddressed = { type: "unread", cause: "misaddressed", subId: null };
  assert.deepEqual(parseRelayMessage(text.replace("\\n", "\n"), 1_000), {
    ...garbled,
    head,
  }, "a raw line feed");
  assert.deepEqual(parseRelayMessage(text.slice(0, 60), 1_000), {
    ...garbled,
    head: {},
  }, "cut off");
  assert.deepEqual(parseRelayMessage(text.slice(8), 1_000), {
    ...garbled,
    subId: null,
    head,
  }, "the start is lost");
  const unread = (text: string) => parseRelayMessage(text, 1_000).type;
  assert.equal(unread("x".repeat(299)), "garbage");
  assert.equal(unread("x".repeat(300)), "unread");
  assert.equal(unread('["EVENT",'), "unread");
  const stray = [
    ["EVENT", event],
    ["EVENT", null, event],
    ["EVENT", 5, event],
    ["event", "s", event],
    [["EVENT", "s", event]],
    event,
  ];
  for (const message of stray) {
    const parsed = parseRelayMessage(JSON.stringify(message), 1_000);
    const { head: _head, ...rest } = { head: null, ...parsed };
    assert.deepEqual(rest, misaddressed, JSON.stringify(message));
  }
  assert.deepEqual(parse("EVENT", event), { ...misaddressed, head });
});

Deno.test("parseRelayMessage() never throws", () => {
  const names = ["EVENT", "EOSE", "CLOSED", "OK", "NOTICE", "AUTH", "COUNT"];
  const message = fc.tuple(fc.constantFrom(...names), fc.array(fc.jsonValue()));
  fc.assert(fc.property(message, ([name, rest]) => {
    parse(name, ...rest);
  }));
  fc.assert(fc.property(fc.string(), (text) => {
    parseRelayMessage(text, 10);
  }));
});
