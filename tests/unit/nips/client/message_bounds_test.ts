import assert from "node:assert/strict";
import {
  isTooDeep,
  messageBound,
  payloadBytes,
} from "../../../../src/nips/client/message_bounds.ts";
import { parseRelayMessage } from "../../../../src/nips/client/relay_message.ts";

const KiB = 1_024;

Deno.test("messageBound() lets only an EVENT and a NEG-MSG be long", () => {
  const bounds: [string, number][] = [
    ['["EVENT","s",{', 7],
    [' [ "event" ,', 7],
    ['["NEG-MSG","s","61', 4_096 * KiB],
    ['["NEG-MSG","s",[', 64 * KiB],
    ['["NEG-ERR","s","', 64 * KiB],
    ['["NOTICE","', 64 * KiB],
    ['["EVENTS","s",{', 64 * KiB],
    ["[[[[", 64 * KiB],
    ["", 64 * KiB],
  ];
  for (const [start, bound] of bounds) {
    assert.equal(messageBound(start, 7), bound, start);
  }
});

Deno.test("isTooDeep() knows brackets from those in strings", () => {
  const padding = "x".repeat(16 * KiB);
  const deep = "[".repeat(5) + "]".repeat(5);
  assert(isTooDeep(`["${padding}",[[[[]]]]]`));
  assert(isTooDeep(`["${padding}",[{"a":[{}]}]]`));
  assert(isTooDeep(`["${padding}\\\\",${deep}]`));
  assert(!isTooDeep(`["${padding}",[[[]]]]`));
  assert(!isTooDeep(`["${padding}\\"${deep}",1]`));
  assert(!isTooDeep(`["EVENT","s",{"tags":[["${padding}"]]}]`));
  assert(!isTooDeep(deep), "a short text is parsed as it is");
});

Deno.test("parseRelayMessage() recognises what is too long to be read, by its ends", () => {
  const id = "ab".repeat(32);
  const tail = `,"created_at":9,"id":"${id}"}]`;
  const cut = (start: string, end = "") =>
    parseRelayMessage({ start, end, bytes: 9e6 }, 1_000);
  assert.deepEqual(cut('["EVENT","s",{"content":"xx', tail), {
    type: "unread",
    cause: "too-large",
    subId: "s",
    head: { id, createdAt: 9 },
  });
  assert.deepEqual(cut('["EVENT",{"content":"xx', tail), {
    type: "unread",
    cause: "misaddressed",
    subId: null,
    head: { id, createdAt: 9 },
  });
  assert.equal(cut('["X","s",[[],[]').type, "unknown");
  assert.equal(cut('["NOTICE",[[[[').type, "unknown");
  assert.equal(cut("xxxx", tail).type, "unread", "it may have been an event");
});

Deno.test("parseRelayMessage() does not work on a long message before it is judged", () => {
  const long = 31 * KiB * KiB;
  const bombs = [
    `["NOTICE",${"[".repeat(long / 2)}${"]".repeat(long / 2)}]`,
    `["X","s",[${"[],".repeat(long / 3)}[]]]`,
    `["EVENT","s",{"tags":[${"[],".repeat(long / 3)}[]]}]`,
    `["EVENT","s",${"[".repeat(KiB * KiB)}${"]".repeat(KiB * KiB)}]`,
    `["NEG-MSG","s",${"[".repeat(long / 2)}${"]".repeat(long / 2)}]`,
    "[".repeat(long),
  ];
  for (const bomb of bombs) {
    const start = performance.now();
    const { type } = parseRelayMessage(bomb, 2 * KiB * KiB);
    const ms = performance.now() - start;
    const name = `${bomb.slice(0, 20)} is ${type}, ${Math.round(ms)} ms`;
    assert(type === "unread" || type === "unknown", name);
    // Parsed, each takes from half a second to half a minute.
    assert(ms < 300, name);
  }
});

Deno.test("parseRelayMessage() does not write out a NOTICE that is no text", () => {
  for (const value of [[[[]]], { a: 1 }, null, true]) {
    const text = JSON.stringify(["NOTICE", value]);
    assert.deepEqual(parseRelayMessage(text, 1_000), {
      type: "NOTICE",
      text: "",
    });
  }
});

Deno.test("payloadBytes() counts memory, not only characters", () => {
  const text = (event: unknown) => JSON.stringify(event).length;
  const plain = {
    id: "ab".repeat(32),
    kind: 1,
    tags: [["p", "cd".repeat(32)]],
    content: "x".repeat(500),
  };
  const bytes = payloadBytes(plain, text(plain));
  assert(bytes >= text(plain) && bytes < 1.5 * text(plain), `${bytes}`);
  const empty = { ...plain, tags: Array.from({ length: 10_000 }, () => []) };
  assert(payloadBytes(empty, text(empty)) > 8 * text(empty));
  const nested = [
    [[], [], []],
    { ...plain, tags: [[[]]] },
    { ...plain, tags: {} },
    { ...plain, more: [[]] },
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}`, 0])),
  ];
  for (const event of nested) {
    assert.equal(payloadBytes(event, 1_000), 16_000, JSON.stringify(event));
  }
  assert.equal(payloadBytes(5, 20), 20);
});
