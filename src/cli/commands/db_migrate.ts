/**
 * `bigbrotr db migrate`: brings a database to the schema of this program.
 *
 * @module
 */
import type { Database } from "../../core/database/connection/database.ts";
import { migrate, restoreFunctions } from "../../core/database/migrate.ts";
import { verifySchema } from "../../core/database/verify.ts";
import type { Command } from "../command.ts";

export const dbMigrate: Command = {
  name: "db migrate",
  summary: "Bring the database to the schema of this program",
  description:
    `Applies the migrations and stored functions that the database lacks, each file in a transaction of its own. Two
at once are safe. Stored functions that were dropped or altered are put back. A database that is newer than the
program is refused.`,
  options: [],
  examples: [{ command: "db migrate", does: "after an update" }],
  async run(invocation) {
    const database = await invocation.openDatabase({ schema: "as-found" });
    const { applied } = await migrate(database, { signal: invocation.signal });
    const restored = await repairFunctions(database);
    const lines = [
      ...applied.map((name) => `Applied ${name}`),
      ...restored.map((name) => `Put back ${name}`),
    ];
    if (lines.length === 0) lines.push("The schema is current.");
    invocation.stdout.write(`${lines.join("\n")}\n`);
    return 0;
  },
};

/** Gives the files applied again, none when every function is as it should be. */
async function repairFunctions(database: Database): Promise<string[]> {
  const { problems } = await verifySchema(database);
  const isDamaged = problems.some(({ kind }) => kind === "function");
  return isDamaged ? await restoreFunctions(database) : [];
}
