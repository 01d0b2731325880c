/**
 * Takes the secrets out of text that is about to be shown.
 *
 * @module
 */

/** A password inside a URL. One that was not percent-encoded may hold `@`: all up to the last one is taken for it. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s"/:@]*:)[^\s"/]+@/gi;

/** The same in a connection URL of PostgreSQL, where people leave `/`, `?` and spaces in it, too. */
const SERVER_PASSWORD = /(\bpostgres(?:ql)?:\/\/[^\s"/:@]*:)[^\n"]*@/gi;

/** A key in the query of a URL, by its name. */
const QUERY_SECRET =
  /([?&][^\s"=&#]*(?:key|token|secret|password|passwd|signature|auth)[^\s"=&#]*=)[^\s"&#]+/gi;

/** A private key of NIP-19. */
const NSEC = /\bnsec1[02-9ac-hj-np-z]{58}\b/gi;

/** The text with `***` where passwords and keys in URLs, and private keys, stand. */
export function withoutSecrets(text: string): string {
  return text.replace(SERVER_PASSWORD, "$1***@")
    .replace(URL_PASSWORD, "$1***@")
    .replace(QUERY_SECRET, "$1***")
    .replace(NSEC, "nsec1***");
}
