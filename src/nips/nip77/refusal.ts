/**
 * Refusals to reconcile: NEG-ERR and CLOSED by their prefix, NOTICEs by their wording.
 *
 * @module
 */
import { classifyNotice, type Reason } from "../client/reason.ts";
import type { NegotiationFailure } from "./negotiation_outcome.ts";

/** The outcome that a NEG-ERR, or a CLOSED, amounts to. */
export function outcomeOfError(
  { prefix, text: reason }: Reason,
  maxRecords: number | undefined,
): NegotiationFailure {
  if (maxRecords !== undefined) return { type: "too-many", reason, maxRecords };
  const isTooMany = LEGACY_TOO_MANY.test(reason) ||
    prefix === "blocked" && TOO_MANY.test(reason);
  if (isTooMany) return { type: "too-many", reason };
  return prefix === "unsupported"
    ? { type: "unsupported", detail: reason }
    : { type: "refused", prefix, reason };
}

/** The code of NIP-77 before its reasons had prefixes. */
const LEGACY_TOO_MANY = /^RESULTS_TOO_BIG/;

/** `blocked:` also says that one is not welcome; asking for less does not help then. */
const TOO_MANY =
  /\b(?:too|big|large|many|more|old|records|results|limit|size)\b/i;

/**
 * The outcome that a NOTICE amounts to; null when it is about something else. `isAlone`: nothing else is under way on
 * the connection that it could be about.
 */
export function outcomeOfNotice(
  text: string,
  { isAlone, hasAnswered }: { isAlone: boolean; hasAnswered: boolean },
): NegotiationFailure | null {
  const is = classifyNotice(text);
  const isNamed = NEGENTROPY.test(text);
  const isRefusal = is !== "information" || isNamed && NEGATION.test(text);
  if (!isRefusal || !isNamed && !isAlone) return null;
  if (is === "rate-limited" || is === "auth-required") {
    return { type: "refused", prefix: is, reason: text };
  }
  return hasAnswered
    ? { type: "refused", prefix: "none", reason: text }
    : { type: "unsupported", detail: text };
}

const NEGENTROPY = /\bneg(?:entropy|-open|-msg|-close)?\b/i;

const NEGATION = /\b(?:not?|un[a-z]+|disabled|fail\w*|error|bad)\b/i;
