/**
 * Work on a connection that a deadline or a signal ends, on the server too.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { Sql } from "./database.ts";
import { DatabaseError, errorCode, isSocketError } from "./database_error.ts";

export interface Limits {
  /** Null for none. */
  readonly deadlineMs: number | null;
  /** Which deadline it is, for the message. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

/** SQLSTATE of a statement that was cancelled. */
const CANCELLED = "57014";

/** How long work may take to end after its statement was cancelled, before its connection is closed. */
const GRACE_MS = 2_000;

/**
 * Runs `work`. At the deadline, or when the signal aborts, the running statement is cancelled on the server and the
 * connection closed for good: a late cancellation must not meet somebody else's statement.
 *
 * @throws DatabaseError `timeout`; the signal's reason; `unreachable` when the connection died or is cut off; what `work` threw.
 */
export async function interruptible<T>(
  connection: Connection,
  work: (sql: Sql) => Promise<T>,
  limits: Limits,
): Promise<T> {
  const { deadlineMs, what, signal } = limits;
  signal?.throwIfAborted();
  const running = work(connection.sql);
  const first = Promise.withResolvers<Outcome<T>>();
  running.then((value) => first.resolve({ value }), first.reject);
  const stop = (reason: unknown) => first.resolve({ reason });
  const abort = () => stop(signal?.reason);
  const timer = deadlineMs === null
    ? undefined
    : setTimeout(() => stop(late(deadlineMs, what)), deadlineMs);
  signal?.addEventListener("abort", abort, { once: true });
  using _end = connection.onEnd(() => first.reject(connection.lost()));
  try {
    const outcome = await first.promise;
    if ("value" in outcome) return outcome.value;
    const isThere = await halt(connection, running);
    // Too slow is one thing; cut off in the middle is another.
    throw isThere || signal?.aborted ? outcome.reason : connection.lost();
  } catch (error) {
    if (errorCode(error) === CANCELLED) throw cancelled(error);
    throw isSocketError(error) ? connection.lost(error) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Whichever came first: the work's end, or a reason to stop it. */
type Outcome<T> = { readonly value: T } | { readonly reason: unknown };

function late(deadlineMs: number, what: string): DatabaseError {
  return new DatabaseError(
    "timeout",
    `Cannot finish the database work within ${deadlineMs} ms (timeouts.${what}Ms): cancelled`,
  );
}

/** The server was quicker than our own deadline, or somebody called pg_cancel_backend(). */
function cancelled(cause: unknown): DatabaseError {
  return new DatabaseError(
    "timeout",
    "Cannot finish the database work: its statement was cancelled on the server " +
      "(statement_timeout, or by hand)",
    cause,
  );
}

/** Gives whether the server could be asked to stop; where it could not, closing the connection has to do. */
async function halt(
  connection: Connection,
  running: Promise<unknown>,
): Promise<boolean> {
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, GRACE_MS);
  const asked = connection.cancel().then(() => true, () => false);
  await Promise.race([running.then(() => {}, () => {}), grace.promise]);
  clearTimeout(timer);
  const isThere = await asked;
  await connection.destroy();
  return isThere;
}
