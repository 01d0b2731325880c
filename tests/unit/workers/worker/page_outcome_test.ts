import assert from "node:assert/strict";
import type { ReqOutcome } from "../../../../src/nips/client/req_outcome.ts";
import { pageEnd } from "../../../../src/workers/worker/page_outcome.ts";

Deno.test("pageEnd() lets only EOSE prove something", () => {
  assert.deepEqual(pageEnd({ type: "eose", hint: "more" }, false), {
    type: "eose",
    hint: "more",
  });
  const others: [ReqOutcome, string][] = [
    [{ type: "timeout", detail: "" }, "timeout"],
    [{ type: "over-budget", detail: "" }, "over-budget"],
    [
      { type: "disconnected", failure: { code: "aborted" } },
      "disconnected",
    ],
    [closed("auth-required", "auth-required: who are you"), "auth-required"],
    [closed("rate-limited", "rate-limited: wait"), "rate-limited"],
    [closed("blocked", "blocked: go away"), "restricted"],
    [closed("blocked", "blocked: too many requests"), "rate-limited"],
    [closed("blocked", "blocked: too many authors"), "restricted"],
    [closed("blocked", "blocked: filter too broad"), "restricted"],
    [closed("invalid", "invalid: kinds must be named"), "restricted"],
    [closed("error", "error: too many concurrent REQs"), "rate-limited"],
    [closed("restricted", "restricted: members only"), "restricted"],
    [closed("mute", "mute: no answer for you"), "restricted"],
    [closed("invalid", "invalid: bad filter"), "refused"],
    [closed("unsupported", "unsupported: no"), "refused"],
    [closed("pow", "pow: 28 bits needed"), "refused"],
    [closed("error", "ERROR: internal"), "refused"],
    [closed("none", "what?"), "refused"],
    [closed("none", ""), "refused"],
    [{ type: "notice", text: "slow down" }, "rate-limited"],
    [{ type: "notice", text: "invalid filter" }, "refused"],
    [{ type: "notice", text: "ERROR: filter is too wide" }, "restricted"],
  ];
  for (const [outcome, reason] of others) {
    assert.deepEqual(pageEnd(outcome, false), { type: "failed", reason });
  }
});

Deno.test("pageEnd() takes a page that we cut for a page", () => {
  const outcome = { type: "over-budget", detail: "" } as const;
  assert.deepEqual(pageEnd(outcome, true), { type: "cut" });
});

function closed(
  prefix: (ReqOutcome & { type: "closed" })["prefix"],
  reason: string,
): ReqOutcome {
  return { type: "closed", prefix, reason };
}
