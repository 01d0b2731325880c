/**
 * A transaction on one connection.
 *
 * @module
 */
import type { Sql } from "./database.ts";

/**
 * Runs `work` between begin and commit; whatever it throws rolls back.
 *
 * @param options.settings Parameters set for this transaction only, so that they work behind PgBouncer, too.
 * @param options.oneSnapshot Whether all of its statements see what the first one saw.
 * @throws Error when a statement in it failed and `work` went on as if it had not.
 */
export async function inTransaction<T>(
  sql: Sql,
  work: (sql: Sql) => Promise<T>,
  { settings, oneSnapshot }: {
    readonly settings: ReadonlyMap<string, number>;
    readonly oneSnapshot: boolean;
  },
): Promise<T> {
  const local = [...settings].map(([name, value]) =>
    `; set local ${name} = ${value}`
  );
  const isolation = oneSnapshot ? "repeatable read" : "read committed";
  // All settings in one round trip.
  await sql.unsafe(`begin isolation level ${isolation}${local.join("")}`);
  let value: T;
  try {
    value = await work(sql);
  } catch (error) {
    await rollback(sql);
    throw error;
  }
  const { command } = await sql.unsafe("commit");
  if (command === "COMMIT") return value;
  throw new Error(
    `Cannot commit the transaction: a statement in it failed, and the work did not say so (${command})`,
  );
}

/** When even this fails, the connection is gone, and the transaction with it. */
async function rollback(sql: Sql): Promise<void> {
  try {
    await sql.unsafe("rollback");
  } catch {
    // The first error is the one to know about.
  }
}
