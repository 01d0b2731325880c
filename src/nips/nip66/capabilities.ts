/**
 * Capabilities: what a relay demands of its users, and how we know. A test counts more than what the relay declares.
 *
 * @module
 */
import type { CheckDocument } from "../check_document.ts";
import { parseReason } from "../client/reason.ts";

/** A demand. */
export interface Capability {
  /** Whether it is demanded; null when unknown. */
  readonly value: boolean | null;
  /** The test that showed it, or the relay's own word. */
  readonly by: "read" | "write" | "nip11" | null;
}

/** The demands that NIP-66 has a word for (its `R` tag). */
export interface Capabilities {
  /** Authentication (NIP-42), for reading or writing. */
  readonly auth: Capability;
  readonly payment: Capability;
  /** Writing is not for everybody. */
  readonly writes: Capability;
  /** Proof of work (NIP-13). */
  readonly pow: Capability;
}

/** Actions open to a stranger. */
export interface Permissions {
  readonly read: Capability;
  readonly write: Capability;
}

type Verdict = Partial<Record<keyof Capabilities, Capability>>;

/** Asking for money has no prefix of its own. */
const MONEY =
  /\b(?:pay(?:ing|ment|ments)?|paid|unpaid|admission|invoice|sats)\b/i;

/** Judges by the round-trip test and the information document; either may be missing or have failed. */
export function judgeCapabilities(
  rtt: CheckDocument | undefined,
  nip11: CheckDocument | undefined,
): Capabilities {
  const claims = claimsOf(nip11);
  const shown = { ...shownByWrite(rtt, claims), ...shownByRead(rtt) };
  return {
    auth: shown.auth ?? claims.auth,
    payment: shown.payment ?? claims.payment,
    writes: shown.writes ?? claims.writes,
    pow: shown.pow ?? claims.pow,
  };
}

/**
 * Whether a stranger may read and write, by what the relay answered to the attempt: null when that was not tried, or
 * was answered by silence, haste or a fault. What NIP-11 says is no proof of either.
 */
export function judgePermissions(
  rtt: CheckDocument | undefined,
): Permissions {
  const verdict = (phase: "read" | "write"): Capability => {
    const value = permitted(rtt, phase);
    return { value, by: value === null ? null : phase };
  };
  return { read: verdict("read"), write: verdict("write") };
}

function permitted(
  rtt: CheckDocument | undefined,
  phase: "read" | "write",
): boolean | null {
  // The event was taken from an author that had authenticated.
  const isStranger = rtt?.logs[`${phase}_authenticated`] !== true;
  if (rtt?.logs[`${phase}_success`] === true) return isStranger;
  const { prefix, text } = parseReason(rtt?.logs[`${phase}_reason`]);
  switch (prefix) {
    case "auth-required":
    case "restricted":
    case "blocked":
    case "pow":
      return false;
    case "duplicate":
    case "mute":
      return true;
    case "none":
      return MONEY.test(text) ? false : null;
    case "rate-limited":
    case "invalid":
    case "unsupported":
    case "error":
      return null;
  }
}

/** The proof of work that a relay says it wants, bits; 0 when it says nothing. */
export function wantedPow(nip11: CheckDocument | undefined): number {
  const bits = limitationOf(nip11)["min_pow_difficulty"];
  return typeof bits === "number" && bits > 0 && bits <= 256 ? bits : 0;
}

function limitationOf(
  nip11: CheckDocument | undefined,
): Readonly<Record<string, unknown>> {
  const limitation = nip11?.data["limitation"];
  return typeof limitation === "object" && limitation !== null
    ? { ...limitation }
    : {};
}

function claimsOf(nip11: CheckDocument | undefined): Capabilities {
  const claimed = limitationOf(nip11);
  const claim = (value: unknown): Capability =>
    typeof value === "boolean"
      ? { value, by: "nip11" }
      : { value: null, by: null };
  const bits = claimed["min_pow_difficulty"];
  return {
    auth: claim(claimed["auth_required"]),
    payment: claim(claimed["payment_required"]),
    writes: claim(claimed["restricted_writes"]),
    pow: claim(typeof bits === "number" ? bits > 0 : undefined),
  };
}

function shownByRead(rtt: CheckDocument | undefined): Verdict {
  const reason = rtt?.logs["read_reason"];
  const isDemanded = rtt?.logs["read_authenticated"] === true ||
    parseReason(reason).prefix === "auth-required";
  return isDemanded ? { auth: { value: true, by: "read" } } : {};
}

/** Silence and broken connections show nothing. */
function shownByWrite(
  rtt: CheckDocument | undefined,
  claims: Capabilities,
): Verdict {
  const isAuthenticated = rtt?.logs["write_authenticated"] === true;
  const auth: Verdict = isAuthenticated ? { auth: write(true) } : {};
  switch (rtt?.logs["write_success"]) {
    case true:
      return shownByTaken(isAuthenticated, claims);
    case false:
      return { ...shownByRefusal(rtt, claims), ...auth };
    default:
      return {};
  }
}

/** An event was taken from an author that never paid, with the work done that the relay says it wants. */
function shownByTaken(isAuthenticated: boolean, claims: Capabilities): Verdict {
  return {
    auth: write(isAuthenticated),
    payment: write(false),
    writes: write(false),
    ...(claims.pow.value === true ? {} : { pow: write(false) }),
  };
}

function shownByRefusal(rtt: CheckDocument, claims: Capabilities): Verdict {
  const { prefix, text } = parseReason(rtt.logs["write_reason"]);
  const money: Verdict = MONEY.test(text) ? { payment: write(true) } : {};
  switch (prefix) {
    case "auth-required":
      return { auth: write(true), ...money };
    case "restricted":
    case "blocked":
      return { writes: write(true), ...money };
    case "pow":
      return { pow: write(true) };
    // The event would have been taken, but was there already, or had no subscriber to go to.
    case "duplicate":
    case "mute":
      return shownByTaken(false, claims);
    case "none":
      return "payment" in money ? { writes: write(true), ...money } : {};
    case "rate-limited":
    case "invalid":
    case "unsupported":
    case "error":
      return {};
  }
}

function write(value: boolean): Capability {
  return { value, by: "write" };
}
