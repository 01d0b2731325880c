/**
 * What the end of a REQ means to a walk.
 *
 * @module
 */
import { classifyNotice } from "../../nips/client/reason.ts";
import type { ReqOutcome } from "../../nips/client/req_outcome.ts";
import type { FailureReason } from "../protocol/report.ts";
import type { PageEnd } from "../walk/page.ts";

/** Sorts the outcomes of the protocol into those that prove something and the reasons of those that do not. */
export function pageEnd(outcome: ReqOutcome, wasFull: boolean): PageEnd {
  switch (outcome.type) {
    case "eose":
      return { type: "eose", hint: outcome.hint };
    case "closed":
      return { type: "failed", reason: refusal(outcome) };
    case "notice":
      return { type: "failed", reason: reasonOfProse(outcome.text) };
    case "timeout":
      return { type: "failed", reason: "timeout" };
    case "disconnected":
      return { type: "failed", reason: "disconnected" };
    case "over-budget":
      return wasFull
        ? { type: "cut" }
        : { type: "failed", reason: "over-budget" };
    case "aborted":
      return { type: "aborted" };
  }
}

function refusal(
  { prefix, reason }: ReqOutcome & { type: "closed" },
): FailureReason {
  switch (prefix) {
    case "auth-required":
    case "rate-limited":
      return prefix;
    case "restricted":
    case "blocked":
    case "mute":
      return isTooOften(reason) ? "rate-limited" : "restricted";
    case "invalid":
    case "unsupported":
    case "pow":
    case "duplicate":
    case "error":
    case "none":
      return reasonOfProse(reason);
  }
}

/** Relays that know no prefixes say it in words. Only the pace depends on how they are read, never a proof. */
function reasonOfProse(text: string): FailureReason {
  if (classifyNotice(text) === "auth-required") return "auth-required";
  if (isTooOften(text)) return "rate-limited";
  return WHAT_WAS_ASKED.test(text) ? "restricted" : "refused";
}

function isTooOften(text: string): boolean {
  return classifyNotice(text) === "rate-limited" && !WHAT_WAS_ASKED.test(text);
}

/** The filter itself is what the relay does not like: asking for less of it, or later, does not help. */
const WHAT_WAS_ASKED =
  /\b(?:kinds?|too (?:broad|wide|general|many (?:kinds|authors|ids|tags|filters)))\b/i;
