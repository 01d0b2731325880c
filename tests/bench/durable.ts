/**
 * Scratch clusters do not sync to disk; figures must, as production does.
 *
 * @module
 */
import { scratchCluster, type ServerVersion } from "../support/postgres.ts";

/** Turns durability on; gives the server's name and version. */
export async function makeDurable(version: ServerVersion): Promise<string> {
  const cluster = await scratchCluster({ version });
  const sql = cluster.connect("postgres");
  for (const setting of ["fsync", "synchronous_commit", "full_page_writes"]) {
    await sql.unsafe(`alter system set ${setting} = on`);
  }
  const [row] = await sql`select pg_reload_conf(), version()`;
  await sql.end();
  return String(row!["version"]).split(" on ")[0]!;
}
