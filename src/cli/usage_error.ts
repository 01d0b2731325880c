/**
 * Error of the user at the command line.
 *
 * @module
 */

/** The command line cannot be understood. The process says why and exits 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
