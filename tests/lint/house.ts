/**
 * How the code is built, as a report for people: `deno task house`. Nothing in it is an error.
 *
 * @module
 */
import { houseReport } from "./house/report.ts";
import { readTree } from "./house/tree.ts";

if (import.meta.main) {
  const root = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");
  const report = houseReport(await readTree(root));
  await Deno.stdout.write(new TextEncoder().encode(report));
}
