/**
 * What relays say when they refuse: the machine-readable prefixes of CLOSED and OK, and the wording of NOTICEs.
 *
 * @module
 */
import type { RelayFailure } from "../../transport/failure.ts";
import { REASON_PREFIXES, type ReasonPrefix } from "./req_outcome.ts";

/** A reason taken apart. */
export interface Reason {
  readonly prefix: ReasonPrefix;
  /** As sent, cut to 500 characters. */
  readonly text: string;
}

/** What a NOTICE seems to be; NIP-01 gives it no meaning. */
export type NoticeClass =
  /** Something of ours was refused. */
  | "refusal"
  | "rate-limited"
  | "auth-required"
  /** A greeting, an advertisement, anything else. */
  | "information";

const MAX_CHARACTERS = 500;

/** The prefix of a reason, also where strfry puts `ERROR: ` before it. */
export function parseReason(value: unknown): Reason {
  const text = typeof value === "string" ? value.slice(0, MAX_CHARACTERS) : "";
  const bare = text.replace(/^error:\s*(?=[a-z-]+:)/i, "").toLowerCase();
  const prefix = REASON_PREFIXES.find((it) => bare.startsWith(`${it}:`));
  return { prefix: prefix ?? "none", text };
}

/** The failure that a refusal amounts to. */
export function refusalOf({ prefix, text }: Reason): RelayFailure {
  return prefix === "auth-required" || prefix === "restricted"
    ? { code: prefix, detail: text }
    : { code: "protocol", detail: `refused: ${text}` };
}

/** Judges a NOTICE by its wording, as there is nothing else to judge it by. */
export function classifyNotice(text: string): NoticeClass {
  const { prefix } = parseReason(text);
  if (
    prefix === "auth-required" ||
    /\bauth(?:entication)?[- ](?:is )?required\b/i.test(text)
  ) {
    return "auth-required";
  }
  if (prefix === "rate-limited" || TOO_FAST.test(text)) return "rate-limited";
  if (prefix !== "none" || REFUSAL.test(text)) return "refusal";
  return "information";
}

const TOO_FAST =
  /\b(?:rate[- ]?limit|too (?:many|fast|much|frequent)|slow down|throttl|quota)/i;

/** Taken from strfry, nostream, nostr-rs-relay, khatru, @nostr-relay and their forks. */
const REFUSAL =
  /^\W*(?:error|invalid|bad|unsupported|unrecogni[sz]ed|unknown|restricted|blocked|refused|denied|forbidden|failed|could ?n[o']t|cannot|can't|not (?:allowed|authorized|permitted)|(?:msg|message|req|request|filter|subscription)\b.*\b(?:invalid|bad|too|not|error|failed|must|should)\b)/i;
