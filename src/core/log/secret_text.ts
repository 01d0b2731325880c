/**
 * Takes the secrets out of text that is about to be shown.
 *
 * @module
 */

/** A password inside a connection URL. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s"/:@]*:)[^\s"/@]+@/gi;

/** A private key of NIP-19. */
const NSEC = /\bnsec1[02-9ac-hj-np-z]{58}\b/gi;

/** The text with `***` where passwords in URLs and private keys stand. */
export function withoutSecrets(text: string): string {
  return text.replace(URL_PASSWORD, "$1***@").replace(NSEC, "nsec1***");
}
