/**
 * What a relay demands of who uses it, and how we know: what a test showed counts more than what the relay says.
 *
 * @module
 */
import type { CheckDocument } from "../check_document.ts";
import { parseReason } from "../reason.ts";

/** One demand. */
export interface Ability {
  /** Whether it is demanded; null when nobody knows. */
  readonly value: boolean | null;
  /** The test that showed it, or the relay's own word. */
  readonly by: "read" | "write" | "nip11" | null;
}

/** The demands that NIP-66 has a word for (its `R` tag). */
export interface Abilities {
  /** Authentication (NIP-42), for reading or writing. */
  readonly auth: Ability;
  readonly payment: Ability;
  /** Writing is not for everybody. */
  readonly writes: Ability;
  /** Proof of work (NIP-13). */
  readonly pow: Ability;
}

type Verdict = Partial<Record<keyof Abilities, Ability>>;

/** Asking for money has no prefix of its own. */
const MONEY =
  /\b(?:pay(?:ing|ment|ments)?|paid|unpaid|admission|invoice|sats)\b/i;

/** Judges by the round-trip test and the information document; either may be missing or have failed. */
export function judgeAbilities(
  rtt: CheckDocument | undefined,
  nip11: CheckDocument | undefined,
): Abilities {
  const claims = claimsOf(nip11);
  const shown = { ...shownByWrite(rtt, claims), ...shownByRead(rtt) };
  return {
    auth: shown.auth ?? claims.auth,
    payment: shown.payment ?? claims.payment,
    writes: shown.writes ?? claims.writes,
    pow: shown.pow ?? claims.pow,
  };
}

function claimsOf(nip11: CheckDocument | undefined): Abilities {
  const limitation = nip11?.data["limitation"];
  const claimed: Readonly<Record<string, unknown>> =
    typeof limitation === "object" && limitation !== null
      ? { ...limitation }
      : {};
  const claim = (value: unknown): Ability =>
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
  claims: Abilities,
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

/** An event was taken from somebody who never paid. It had the work done that the relay says it wants. */
function shownByTaken(isAuthenticated: boolean, claims: Abilities): Verdict {
  return {
    auth: write(isAuthenticated),
    payment: write(false),
    writes: write(false),
    ...(claims.pow.value === true ? {} : { pow: write(false) }),
  };
}

function shownByRefusal(rtt: CheckDocument, claims: Abilities): Verdict {
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
    // It would have been taken, but was there already, or had nobody to go to.
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

function write(value: boolean): Ability {
  return { value, by: "write" };
}
