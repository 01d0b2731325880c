/**
 * `bigbrotr db migrate`: brings a database to the schema of this program.
 *
 * @module
 */
import { migrate } from "../../core/database/migrate.ts";
import type { Command } from "../command.ts";

export const dbMigrate: Command = {
  name: "db migrate",
  summary: "Bring the database to the schema of this program",
  description:
    `Applies the migrations and stored functions that the database lacks, each file in a transaction of its own. Two
at once are safe. What was dropped or altered by hand is put back, if it holds no data: functions, views, indexes (beside
running services), constraints, and the rights of the roles; exits 1 when some of these only another user may give. A
database that is newer than the program is refused.
Sightings of an archive older than their pages are moved into them, in steps: run again, it goes on where it was stopped.`,
  options: [],
  examples: [{ command: "db migrate", does: "after an update" }],
  async run(invocation) {
    const database = await invocation.openDatabase({ schema: "as-found" });
    const { signal, screen } = invocation;
    const { applied, repaired, left } = await migrate(database, {
      signal,
      repair: true,
      onStep: (step) => screen.show([step]),
    });
    screen.show([]);
    const lines = [
      ...applied.map((name) => `Applied ${name}`),
      ...repaired.map((name) => `Put back ${name}`),
      ...left.map((name) => `Left as it is, for want of rights: ${name}`),
      ...(left.length === 0 ? [] : [
        "Run it as a superuser, or as the owner of the database and its schema.",
      ]),
    ];
    if (lines.length === 0) lines.push("The schema is current.");
    invocation.stdout.write(`${lines.join("\n")}\n`);
    return left.length === 0 ? 0 : 1;
  },
};
