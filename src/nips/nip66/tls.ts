/**
 * The certificate of a relay (NIP-66, prior art's `nip66_ssl`): what it says, and whether it holds.
 *
 * @module
 */
import type { RelayUrl } from "../../models/relay_url.ts";
import type { Dialer, TlsPeer } from "../../transport/dialer.ts";
import { type CheckDocument, failedCheck } from "../check_document.ts";
import {
  type Certificate,
  coversHost,
  parseCertificate,
} from "./certificate.ts";

/** The bounds of the check. */
export interface TlsOptions {
  readonly signal: AbortSignal;
  /** For each of the two connections it may take, ms. */
  readonly timeoutMs: number;
}

/** The fault of a certificate that does not hold. */
export type CertificateProblem =
  | "expired"
  | "not-yet-valid"
  | "wrong-host"
  /** The certificate vouches for itself. */
  | "self-signed"
  /** The chain ends at an authority that is not trusted. */
  | "untrusted-authority"
  /** The chain ends before any authority: mostly, the server forgot the intermediate certificate. */
  | "incomplete-chain"
  /** None of these: the signatures, or the use it is for. */
  | "invalid";

/**
 * Reads the certificate that a `wss` relay presents, good or bad. `ssl_valid` is what a client that verifies would
 * find; when it is false, `ssl_problems` says why. Times are Unix seconds. Never rejects.
 */
export async function examineTls(
  dialer: Dialer,
  relay: RelayUrl,
  { signal, timeoutMs }: TlsOptions,
): Promise<CheckDocument> {
  if (relay.scheme !== "wss") {
    return failedCheck({ code: "tls", detail: "The relay has no TLS" });
  }
  const peer = await dialer.examineTls(relay, { signal, timeoutMs });
  if (!peer.ok) return failedCheck(peer.failure);
  const [leaf = new Uint8Array()] = peer.value.chain;
  const certificate = parseCertificate(leaf);
  if (!certificate.ok) {
    return failedCheck({ code: "tls", detail: certificate.failure.detail });
  }
  const problems = peer.value.isTrusted
    ? []
    : problemsOf(certificate.value, peer.value, relay.host);
  return {
    data: {
      ssl_valid: peer.value.isTrusted,
      ...(problems.length === 0 ? {} : { ssl_problems: problems }),
      ...certificateFields(certificate.value),
      ...sessionFields(peer.value),
    },
    logs: { success: true },
    failure: null,
  };
}

function certificateFields(certificate: Certificate): Record<string, unknown> {
  const { issuer, subject } = certificate;
  return present({
    ssl_subject_cn: subject.commonName,
    ssl_issuer: issuer.organization,
    ssl_issuer_cn: issuer.commonName,
    ssl_not_before: certificate.notBefore,
    ssl_expires: certificate.notAfter,
    ssl_san: certificate.altNames.length === 0 ? null : certificate.altNames,
    ssl_serial: certificate.serial,
    ssl_version: certificate.version,
    ssl_fingerprint: certificate.fingerprint,
  });
}

function sessionFields({ protocol, cipher }: TlsPeer): Record<string, unknown> {
  return present({
    ssl_protocol: protocol,
    ssl_cipher: cipher,
    ssl_cipher_bits: cipher === null ? null : cipherBits(cipher),
  });
}

/** A document without the fields that are unknown. */
function present(fields: Record<string, unknown>): Record<string, unknown> {
  const known = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(known);
}

/** Strength of a cipher by its name; null for one that is not known here. */
function cipherBits(cipher: string): number | null {
  if (/CHACHA20|AES_?256|CAMELLIA256|ARIA256/.test(cipher)) return 256;
  if (/AES_?128|CAMELLIA128|ARIA128|RC4/.test(cipher)) return 128;
  return /DES-CBC3|3DES/.test(cipher) ? 168 : null;
}

/**
 * Judged by the certificates themselves, not by what the runtime calls its error: Deno names one cause, and not
 * always the right one (2.9 says of an expired certificate that its first signature cannot be verified).
 */
function problemsOf(
  certificate: Certificate,
  peer: TlsPeer,
  host: string,
): CertificateProblem[] {
  const now = Date.now() / 1_000;
  const problems: CertificateProblem[] = [];
  if (now > certificate.notAfter) problems.push("expired");
  if (now < certificate.notBefore) problems.push("not-yet-valid");
  if (!coversHost(certificate, host)) problems.push("wrong-host");
  if (certificate.isSelfIssued) problems.push("self-signed");
  return problems.length > 0 ? problems : [chainProblem(peer)];
}

/** The certificate itself is in order: it is those above it that are not. */
function chainProblem({ chain, protocol }: TlsPeer): CertificateProblem {
  const above = chain.slice(1).map(parseCertificate);
  const last = above.at(-1);
  const now = Date.now() / 1_000;
  const isOutOfTime = above.some((it) =>
    !it.ok || now < it.value.notBefore || now > it.value.notAfter
  );
  if (isOutOfTime) return "invalid";
  // Deno before 2.9 tells neither the protocol nor what else was presented.
  if (protocol === null) return "untrusted-authority";
  return last?.ok && last.value.isSelfIssued
    ? "untrusted-authority"
    : "incomplete-chain";
}
