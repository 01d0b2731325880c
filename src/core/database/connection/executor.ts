/**
 * Stored functions are called on the pool, or on the connection of a transaction that somebody else began.
 *
 * @module
 */
import type { Database, Sql, WorkOptions } from "./database.ts";

/** The pool, or one connection inside `Database.transaction`. */
export type Executor = Database | Sql;

/** Runs `work` on the given connection, or on one of the pool (with its deadline and retries). */
export function onConnection<T>(
  executor: Executor,
  work: (sql: Sql) => Promise<T>,
  options?: WorkOptions,
): Promise<T> {
  return typeof executor === "function"
    ? work(executor)
    : executor.run(work, options);
}
