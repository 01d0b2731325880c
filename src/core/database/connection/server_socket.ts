/**
 * One socket to the server: TCP or Unix, with TLS negotiated as the mode demands.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { DatabaseError, errorCode } from "./database_error.ts";
import { describeAddress, type ServerAddress } from "./server_address.ts";

/**
 * Opens it within the signal's time; an abort destroys it.
 *
 * @throws DatabaseError `unreachable` or (certificate, TLS not offered) `refused`; the signal's reason.
 */
export async function openServerSocket(
  address: ServerAddress,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await connected(address, signal);
  if ("path" in address.endpoint || address.tls === "disable") return socket;
  if (await offersTls(socket, address, signal)) {
    return await secured(socket, address, signal);
  }
  if (address.tls === "prefer") return socket;
  socket.destroy();
  throw new DatabaseError(
    "refused",
    `Cannot use PostgreSQL at ${describeAddress(address)}: ` +
      `it does not offer TLS, and the TLS mode is ${address.tls}`,
  );
}

function connected(
  address: ServerAddress,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connectPlain({ ...address.endpoint });
  return awaitStep(socket, signal, (resolve, reject) => ({
    connect: () => resolve(socket),
    error: (cause) => reject(unreachable(address, cause)),
  }));
}

/** "Do you speak TLS?", which PostgreSQL answers by one letter. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function offersTls(
  socket: Socket,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<boolean> {
  const answered = awaitStep<boolean>(socket, signal, (resolve, reject) => ({
    error: (cause) => reject(unreachable(address, cause)),
    close: () => reject(unreachable(address, "it hung up")),
    data: (answer) => {
      // Anything beyond the letter would be read as part of the session: a known attack on this step.
      const letter = Buffer.isBuffer(answer) ? answer.toString("latin1") : "";
      if (letter === "S" || letter === "N") resolve(letter === "S");
      else reject(unreachable(address, "what answers is not PostgreSQL"));
    },
  }));
  socket.write(SSL_REQUEST);
  return answered;
}

function secured(
  plain: Socket,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<Socket> {
  const host = "host" in address.endpoint ? address.endpoint.host : "";
  const verified = address.tls === "verify-ca" || address.tls === "verify-full";
  const socket = connectTls({
    socket: plain,
    // The name that the certificate must have; without it everybody's "localhost" would do.
    host,
    // A name in the handshake must not be an address (RFC 6066 section 3).
    ...(isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: verified,
    ...(address.ca !== null && { ca: address.ca }),
    ...(address.tls === "verify-ca" &&
      { checkServerIdentity: () => undefined }),
  });
  return awaitStep(socket, signal, (resolve, reject) => ({
    secureConnect: () => resolve(socket),
    error: (cause) => reject(untrusted(address, cause)),
    close: () => reject(untrusted(address, "it hung up")),
  }));
}

type Listeners = Readonly<Record<string, (argument: unknown) => void>>;

/** Waits for a step of opening; however that ends, its listeners are removed, and after a failure the socket is closed. */
function awaitStep<T>(
  socket: Socket,
  signal: AbortSignal,
  listen: (
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) => Listeners,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const finish = () => {
      signal.removeEventListener("abort", abort);
      // Only ours: the socket listens to itself, too.
      for (const [event, listener] of Object.entries(listeners)) {
        socket.removeListener(event, listener);
      }
    };
    const fail = (error: unknown) => {
      finish();
      // A late error of a socket that nobody uses any more is of no interest, but must not go uncaught.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const abort = () => fail(signal.reason);
    const listeners = listen((value) => {
      finish();
      resolve(value);
    }, fail);
    for (const [event, listener] of Object.entries(listeners)) {
      socket.on(event, listener);
    }
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
}

function unreachable(address: ServerAddress, cause: unknown): DatabaseError {
  return new DatabaseError(
    "unreachable",
    `Cannot reach PostgreSQL at ${describeAddress(address)}: ${reason(cause)}`,
    cause,
  );
}

function untrusted(address: ServerAddress, cause: unknown): DatabaseError {
  return new DatabaseError(
    "refused",
    `Cannot trust PostgreSQL at ${
      describeAddress(address)
    } (TLS mode ${address.tls}): ${reason(cause)}`,
    cause,
  );
}

/** The commonest error codes of the system, in words. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOENT", "there is no such socket"],
  ["EACCES", "this user may not use the socket"],
  ["ENOTFOUND", "the name does not resolve"],
  ["ETIMEDOUT", "nothing answers there"],
]);

function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const meaning = MEANINGS.get(errorCode(cause) ?? "");
  return meaning === undefined ? text : `${meaning} (${text})`;
}
