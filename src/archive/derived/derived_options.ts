/**
 * Which derived facts are kept.
 *
 * @module
 */

/** What a receipt of a zap proves, as the protocol's side reads it. */
export interface VerifiedZap {
  /** Id of the zap request. Receipts of one request are one zap. */
  readonly request: string;
  /** Public keys, hex. */
  readonly sender: string;
  readonly recipient: string;
  readonly eventId: string | null;
  readonly address: string | null;
  /** Millisatoshis, from 1 to what a number holds exactly. */
  readonly msats: number;
}

export interface DerivedOptions {
  /** Who follows whom: `contact`, `contact_list`, `contact_total`. */
  readonly contacts: boolean;
  /** What NIP-85 asserts about authors: `author_fact`, `author_topic`, `zap`. */
  readonly assertions: boolean;
  /** And about events and addresses: `target_fact`, a row for each. Nothing without `assertions`. */
  readonly targets: boolean;
  /** Reads the tags of a kind 9735; null when receipt, invoice and request do not agree. The same tags, the same answer. */
  readonly readZap: (
    tags: readonly (readonly string[])[],
  ) => VerifiedZap | null;
}
