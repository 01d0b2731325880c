/**
 * Errors of the database itself, and which of them pass by themselves.
 *
 * @module
 */
import postgres from "postgres";
import { CircuitOpen } from "../../lifecycle/breaker.ts";

/** Faults that are about reaching and using the server, not about a statement. */
export type DatabaseFault =
  /** Nothing answers there, or the answer is not PostgreSQL. */
  | "unreachable"
  /** The embedded server cannot run, as its disk is full. */
  | "disk-full"
  /** The server refuses user, password or certificate. */
  | "refused"
  /** There is no such database. */
  | "missing"
  /** The server is too old, or its data directory is of another major version. */
  | "version"
  /** The database is not in UTF-8. */
  | "encoding"
  /** The server takes no writes now: it is a standby, or was set so. Another may be the primary soon. */
  | "read-only"
  /** No connection became free in time. */
  | "exhausted"
  /** A deadline of `timeouts` passed; the statement was cancelled on the server. */
  | "timeout"
  /** The pool was closed. */
  | "closed";

/** A sentence for people; `fault` and, where the server gave one, the SQLSTATE in `code` for programs. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly fault: DatabaseFault;
  readonly code: string | undefined;

  constructor(fault: DatabaseFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.fault = fault;
    this.code = errorCode(cause);
  }
}

/** The SQLSTATE, or the code of the driver or the socket; undefined for everything else. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? code : undefined;
}

/** SQLSTATEs that a second try may not meet: serialisation, deadlock, and a server that goes or comes. */
const PASSING_STATES: ReadonlySet<string> = new Set([
  "40001",
  "40P01",
  "53300",
  "57P01",
  "57P02",
  "57P03",
]);

/** Codes of postgres.js and of sockets for a connection that was lost or never came to be. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Whether the same work may succeed when it is tried again: by SQLSTATE, never by prose. */
export function isTransient(error: unknown): boolean {
  if (error instanceof CircuitOpen) return true;
  const code = errorCode(error);
  return isConnectionFailure(error) ||
    (code !== undefined && PASSING_STATES.has(code));
}

/** SQLSTATE of a write where only reading is allowed. */
export const READ_ONLY_STATE = "25006";

const AWAY_FAULTS: ReadonlySet<DatabaseFault> = new Set([
  "unreachable",
  "disk-full",
  "read-only",
]);

/** Whether there was no server to work with, which is what the circuit breaker counts. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof DatabaseError) {
    return AWAY_FAULTS.has(error.fault);
  }
  if (error instanceof postgres.PostgresError) {
    return error.code.startsWith("08") || error.code.startsWith("57P0");
  }
  return isSocketError(error);
}

/** Whether the driver says by its code that a connection is gone, or the system refused a call on its socket. */
export function isSocketError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DatabaseError) return false;
  const code = errorCode(error);
  if (code === undefined) return false;
  // Whatever its number: EBADF is a socket that was closed a moment ago.
  return CONNECTION_CODES.has(code) || "syscall" in error;
}
