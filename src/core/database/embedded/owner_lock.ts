/**
 * Lock on a data directory: one process runs its server, for as long as that process lives.
 *
 * The lock is SQLite's on an empty database, because that one can be *tried*, is let go by the system when its holder
 * dies, and is there in every Deno since 2.2, compiled or not (`FsFile.tryLock` is not).
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** Takes the lock, or returns null when another process has it. Disposing lets it go. */
export function tryOwnerLock(path: string): Disposable | null {
  let file: DatabaseSync;
  try {
    file = new DatabaseSync(path);
  } catch (cause) {
    throw new Error(
      `Cannot open ${path}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  try {
    // Without a journal nothing but the lock itself ever touches the disk.
    file.exec(
      "pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive",
    );
    return { [Symbol.dispose]: () => file.close() };
  } catch (error) {
    file.close();
    // Deno gives SQLite's sentence for SQLITE_BUSY, and not its number.
    if (error instanceof Error && error.message === "database is locked") {
      return null;
    }
    throw new Error(
      `Cannot lock ${path}: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}
