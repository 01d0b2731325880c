/**
 * TLS over a connected socket.
 *
 * @module
 */
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { fail, ok, type Result } from "../models/result.ts";
import { type Deadline, runStep } from "./deadline.ts";
import { errorCode, errorLine } from "../base/error_text.ts";
import type { RelayFailure } from "./failure.ts";
import type { ReadEnd } from "./websocket/socket_reader.ts";

/** Facts of a TLS connection. */
export interface TlsInfo {
  /** Whether the certificate was checked and holds: trusted, in time, of this name. */
  readonly verified: boolean;
  /** `TLSv1.3`; null where the runtime does not tell. */
  readonly protocol: string | null;
}

/** How the certificate of a peer is judged. */
export interface Trust {
  /** Off: any certificate will do, and the connection is known to be unverified. */
  readonly verify: boolean;
  /** PEM certificates of the authorities to trust instead of the usual ones; none means the usual ones. */
  readonly caCertificates: readonly string[];
}

/** A socket under TLS. */
export interface Secured {
  readonly socket: TLSSocket;
  readonly info: TlsInfo;
}

/** Speaks TLS over `socket` to a peer that must prove to be `host`. A failure destroys the socket. */
export function secure(
  socket: Socket,
  { host, trust, deadline }: {
    host: string;
    trust: Trust;
    deadline: Deadline;
  },
): Promise<Result<Secured, RelayFailure>> {
  const { verify, caCertificates } = trust;
  return runStep<Secured>("tls", deadline, (settle) => {
    const secured = connect({
      socket,
      // The name that the certificate must be of; SNI must not carry an address.
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: verify,
      ALPNProtocols: ["http/1.1"],
      ...(caCertificates.length === 0 ? {} : { ca: [...caCertificates] }),
    });
    // Stays for good: an error of a dropped socket must not become an uncaught one.
    secured.on("error", (error) => settle(fail(tlsFailure(host, error))));
    secured.once("close", () => {
      const detail = `${host} ended the connection in the TLS handshake`;
      settle(fail({ code: "tls", detail }));
    });
    secured.once("secureConnect", () => {
      // Older runtimes lack it.
      const protocol = secured.getProtocol?.() ?? null;
      settle(ok({ socket: secured, info: { verified: verify, protocol } }));
    });
    return (succeeded) => {
      if (!succeeded) secured.destroy();
    };
  });
}

/**
 * The failure of a first exchange over TLS. Deno before 2.9 reports a bad certificate no sooner than at the first
 * write, as an unknown error: there, that is what it was.
 */
export function orTlsFailure(
  failure: RelayFailure,
  host: string,
  { info, end }: { info: TlsInfo | null; end: ReadEnd | undefined },
): RelayFailure {
  const late = info?.protocol === null && failure.code === "closed" &&
    end?.code !== undefined && end.code !== "";
  return late ? tlsFailure(host, new Error(failure.detail)) : failure;
}

function tlsFailure(host: string, error: unknown): RelayFailure {
  const code = errorCode(error);
  const named = code === "" ? "" : `${code} `;
  return { code: "tls", detail: `${host}: ${named}${errorLine(error)}` };
}
