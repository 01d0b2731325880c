import assert from "node:assert/strict";
import { askedWaitSeconds } from "../../../../src/transport/failure.ts";
import {
  httpFailure,
  waitOf,
} from "../../../../src/transport/http/http_failure.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

Deno.test("waitOf() reads seconds and dates, a day at most, and nothing else", () => {
  const cases = {
    "120": 120,
    "0": 0,
    "86401": 86_400,
    "9999999999": 86_400,
    "Sat, 21 Nov 2026 10:01:30 GMT": 90,
    "Sat, 21 Nov 2026 09:00:00 GMT": 0,
    "Fri, 21 Nov 2036 10:00:00 GMT": 86_400,
    "-5": 0,
    "soon": 0,
    "": 0,
  };
  for (const [text, seconds] of Object.entries(cases)) {
    assert.equal(waitOf(text, NOW), seconds, text);
  }
});

Deno.test("httpFailure() heeds Retry-After where it is a request to stay away", () => {
  const wait = (status: number) => {
    const headers = { "retry-after": "60" };
    return askedWaitSeconds(httpFailure({ status, headers }, "no"));
  };
  assert.deepEqual([429, 503, 404, 301].map(wait), [60, 60, 0, 0]);
});
