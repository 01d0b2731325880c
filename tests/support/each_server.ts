/**
 * Tests that run on every version of PostgreSQL this machine has, each on an archive of its own.
 *
 * @module
 */
import type { Edition } from "../../src/core/database/migrate.ts";
import { type TestArchive, testArchive } from "./archive.ts";
import { serverVersions } from "./postgres.ts";

const VERSIONS = await serverVersions();

/** Registers a test on the embedded PostgreSQL, and on Debian's where it is installed. */
export function testOnEachServer(
  name: string,
  work: (archive: TestArchive) => Promise<void>,
  { edition = "full" }: { readonly edition?: Edition } = {},
): void {
  for (const version of VERSIONS) {
    Deno.test(`${name} [${version}]`, async () => {
      await using archive = await testArchive({ version, edition });
      await work(archive);
    });
  }
}
