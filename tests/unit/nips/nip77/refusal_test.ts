import assert from "node:assert/strict";
import { parseReason } from "../../../../src/nips/client/reason.ts";
import {
  outcomeOfError,
  outcomeOfNotice,
} from "../../../../src/nips/nip77/refusal.ts";

Deno.test("outcomeOfError() tells too much, unsupported and refused apart, as relays word them", () => {
  const cases = [
    ["RESULTS_TOO_BIG", "too-many"],
    ["blocked: this query is too big", "too-many"],
    ["blocked: too many query results", "too-many"],
    ["blocked: you are not on the list", "refused"],
    ["unsupported: negentropy is off", "unsupported"],
    ["closed: you took too long to respond!", "refused"],
    ["error: could not reconcile", "refused"],
    ["", "refused"],
  ] as const;
  for (const [text, type] of cases) {
    assert.equal(outcomeOfError(parseReason(text), undefined).type, type, text);
  }
  assert.deepEqual(outcomeOfError(parseReason("blocked: x"), 500), {
    type: "too-many",
    reason: "blocked: x",
    maxRecords: 500,
  });
});

Deno.test("outcomeOfNotice() takes a NOTICE for an answer when it names NIP-77, or nothing else is under way", () => {
  const about = (text: string, isAlone: boolean, hasAnswered = false) =>
    outcomeOfNotice(text, { isAlone, hasAnswered })?.type ?? null;
  const strange = "ERROR: bad msg: unknown cmd";
  assert.equal(about(strange, true), "unsupported");
  assert.equal(about(strange, false), null);
  assert.equal(
    about("ERROR: negentropy error: negentropy disabled", false),
    "unsupported",
  );
  assert.equal(about("ERROR: NEG-OPEN failed", false, true), "refused");
  assert.equal(about("Welcome! We speak negentropy.", true), null);
  assert.equal(about("negentropy is not supported here", false), "unsupported");
});
