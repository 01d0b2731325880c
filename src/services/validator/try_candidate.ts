/**
 * Trial of a candidate: it is a relay when it answers a REQ with anything that NIP-01 knows.
 *
 * @module
 */
import type { Candidate } from "../../archive/candidates.ts";
import {
  parseRelayUrl,
  type RelayUrl,
  securedUrl,
} from "../../models/relay_url.ts";
import { fail, ok, type Result } from "../../models/result.ts";
import { handshake } from "../../nips/client/handshake.ts";
import type { Dialer } from "../../transport/dialer.ts";
import type { RelayFailure } from "../../transport/failure.ts";

/** The relay that answered. */
export interface Answer {
  /** Its identity: the URL that answered, which may be the candidate's wss twin. */
  readonly relay: RelayUrl;
  readonly openMs: number;
}

export interface TrialOptions {
  readonly allowPrivate: boolean;
  /** Deadline of each step: connecting, an answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Tries a candidate; of a clearnet `ws` URL its wss twin first. For a slot at its address nobody waits:
 * then the failure is `busy`, which like `aborted` says nothing about the candidate.
 */
export async function tryCandidate(
  dialer: Dialer,
  { url }: Pick<Candidate, "url">,
  options: TrialOptions,
): Promise<Result<Answer, RelayFailure>> {
  const parsed = parseRelayUrl(url, options);
  if (!parsed.ok) {
    // The candidate was found when other addresses were allowed, or by another version of the rules.
    return fail({ code: "address", detail: parsed.failure.detail });
  }
  const relay = parsed.value;
  const secured = securedUrl(relay);
  const first = await tryRelay(dialer, secured ?? relay, {
    ...options,
    slotTimeoutMs: 0,
  });
  if (secured === null) return first;
  if (first.ok || !mayAnswerWithoutTls(first.failure)) return first;
  return await tryRelay(dialer, relay, options);
}

async function tryRelay(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs, slotTimeoutMs }: TrialOptions & {
    readonly slotTimeoutMs?: number;
  },
): Promise<Result<Answer, RelayFailure>> {
  const bounds = { signal, timeoutMs, slotTimeoutMs };
  const answer = await handshake(dialer, relay, bounds);
  return answer.ok ? ok({ relay, openMs: answer.value.openMs }) : answer;
}

/** Whether what failed over TLS could go well without. */
function mayAnswerWithoutTls(failure: RelayFailure): boolean {
  switch (failure.code) {
    case "refused":
    case "unreachable":
    case "tls":
    case "timeout":
    case "http":
    case "protocol":
    case "too-large":
    case "closed":
    case "auth-required":
    case "restricted":
      return true;
    // The name and the way to it are the same without TLS.
    case "dns":
    case "address":
    case "proxy":
    case "opted-out":
    case "busy":
    case "aborted":
      return false;
  }
}
