import assert from "node:assert/strict";
import {
  classifyNotice,
  parseReason,
  refusalOf,
} from "../../../../src/nips/client/reason.ts";

Deno.test("parseReason() finds the prefix, also behind strfry's ERROR", () => {
  const cases = [
    ["auth-required: who are you?", "auth-required"],
    ["ERROR: auth-required: we only serve members", "auth-required"],
    ["ERROR: bad req: filter is not an object", "error"],
    ["error: could not connect to the database", "error"],
    ["rate-limited: slow down", "rate-limited"],
    ["Restricted: no", "restricted"],
    ["I am auth-required: not", "none"],
    ["duplicate", "none"],
    ["", "none"],
  ] as const;
  for (const [text, prefix] of cases) {
    assert.deepEqual(parseReason(text), { prefix, text });
  }
  assert.deepEqual(parseReason({ a: 1 }), { prefix: "none", text: "" });
  assert.equal(parseReason("x".repeat(10_000)).text.length, 500);
});

Deno.test("refusalOf() keeps apart what needs a key, what a key does not help, and the rest", () => {
  const codeOf = (text: string) => refusalOf(parseReason(text)).code;
  assert.equal(codeOf("auth-required: x"), "auth-required");
  assert.equal(codeOf("restricted: x"), "restricted");
  assert.equal(codeOf("error: x"), "protocol");
});

Deno.test("classifyNotice() tells refusals from greetings", () => {
  const cases = {
    "refusal": [
      "ERROR: bad req: arr too small",
      "ERROR: bad msg: invalid message",
      "invalid: limit must be a number",
      "Invalid filter",
      "could not parse command",
      "bad message: unexpected end of input",
      "unknown message type NEG-OPEN",
      "restricted: sign up first",
      "message too large",
    ],
    "rate-limited": [
      "rate-limited: slow down there chief",
      "ERROR: too many concurrent REQs",
      "Too many subscriptions",
      "You are noting too much: slow down!",
      "Rate limit exceeded",
    ],
    "auth-required": [
      "auth-required: please",
      "ERROR: auth-required: please",
      "This relay: authentication required",
      "restricted: auth-required to read",
    ],
    "information": [
      "Welcome to the relay!",
      "Powered by strfry",
      "Your subscription expires in 5 days",
      "",
    ],
  };
  for (const [expected, texts] of Object.entries(cases)) {
    for (const text of texts) {
      assert.equal(classifyNotice(text), expected, text);
    }
  }
});
