/**
 * Certificates that a peer shows in a TLS handshake, valid or not: for examining them, not for talking.
 *
 * @module
 */
import { TLSSocket } from "node:tls";
import { fail, ok, type Result } from "../models/result.ts";
import type { RelayFailure } from "./failure.ts";
import type { RelaySocket } from "./websocket/relay_socket.ts";
import {
  type Attempt,
  openStream,
  type RoutePolicy,
  type Target,
} from "./route.ts";

/** A peer as TLS shows it. */
export interface TlsPeer {
  /**
   * The certificates presented, DER, the peer's own first and at least that one; a self-signed authority may be last.
   * Only the peer's own where the runtime does not tell more (Deno before 2.9).
   */
  readonly chain: readonly Uint8Array[];
  /** Whether a connection that asks for a certificate that holds is made: trusted, in time, of this host. */
  readonly isTrusted: boolean;
  /** `TLSv1.3`; null where the runtime does not tell (Deno before 2.9). */
  readonly protocol: string | null;
  /** As OpenSSL calls it, `ECDHE-RSA-AES128-GCM-SHA256`; null where the runtime does not tell (Deno before 2.9). */
  readonly cipher: string | null;
}

/** The host to examine, and how. */
export interface TlsExamination {
  readonly target: Target;
  readonly policy: RoutePolicy;
  /** Opens a WebSocket there that asks for a certificate that holds. */
  readonly openVerified: () => Promise<Result<RelaySocket, RelayFailure>>;
  readonly attempt: Omit<Attempt, "verify">;
}

/** More certificates than this are not looked at. */
const MAX_CHAIN = 10;

/** Shakes hands, looks, and hangs up. A certificate that does not hold is no failure here. */
export async function examineTlsPeer(
  examination: TlsExamination,
): Promise<Result<TlsPeer, RelayFailure>> {
  const { target, policy, attempt } = examination;
  const stream = await openStream(target, policy, {
    ...attempt,
    verify: false,
  });
  if (!stream.ok) return stream;
  const { socket } = stream.value;
  const peer = socket instanceof TLSSocket ? peerOf(socket) : null;
  socket.destroy();
  if (peer === null) {
    const detail = `${target.host} presented no certificate`;
    return fail({ code: "tls", detail });
  }
  if (peer.protocol !== null) return ok(peer);
  // Deno before 2.9 takes every certificate for a good one when it is not to refuse bad ones.
  const isTrusted = await holds(examination);
  return isTrusted.ok ? ok({ ...peer, isTrusted: isTrusted.value }) : isTrusted;
}

function peerOf(socket: TLSSocket): TlsPeer | null {
  const chain = presentedChain(socket);
  return chain.length === 0 ? null : {
    chain,
    isTrusted: socket.authorized,
    // Older runtimes lack both.
    protocol: socket.getProtocol?.() ?? null,
    cipher: socket.getCipher?.()?.name ?? null,
  };
}

/** A self-signed certificate names itself as its issuer, for ever. */
function presentedChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<string>();
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN) {
    const { raw, fingerprint256, issuerCertificate } = certificate;
    if (seen.has(fingerprint256)) break;
    seen.add(fingerprint256);
    chain.push(new Uint8Array(raw));
    certificate = issuerCertificate;
  }
  return chain;
}

/** Whether the certificate holds when it has to. Only a first exchange tells for sure. */
async function holds(
  { openVerified }: TlsExamination,
): Promise<Result<boolean, RelayFailure>> {
  const opened = await openVerified();
  if (opened.ok) await opened.value.close();
  if (opened.ok || opened.failure.code === "http") return ok(true);
  return opened.failure.code === "tls" ? ok(false) : opened;
}
