/**
 * The wall clock in the unit of Nostr and of the database.
 *
 * @module
 */

/** Now, in whole seconds since 1970. */
export function unixNow(): number {
  return Math.floor(Date.now() / 1_000);
}
