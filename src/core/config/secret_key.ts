/**
 * A Nostr secret key that the configuration names, ready to sign with.
 *
 * @module
 */
import { parseSecretKey } from "../../models/secret_key.ts";
import { ConfigError } from "./config_error.ts";
import { resolveSecret, type SecretNames } from "./secret.ts";

/**
 * The 32 bytes of the key, or null when neither `env` nor `file` names one.
 * Throws {@linkcode ConfigError} when it is named but missing, or is no key.
 */
export function resolveSecretKey(names: SecretNames): Uint8Array | null {
  const secret = resolveSecret(names);
  if (secret === null) return null;
  const key = parseSecretKey(secret);
  if (key.ok) return key.value;
  throw new ConfigError(names.env ?? names.file ?? "the configuration", [
    `cannot use ${names.what}: ${key.failure.detail}`,
  ]);
}
