/**
 * Secrets come from the environment or from a file, named in the configuration, and are never written anywhere.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { ConfigError, whyUnreadable } from "./config_error.ts";

/** Reads an environment variable; undefined when it is not set. */
export type ReadEnv = (name: string) => string | undefined;

export interface SecretNames {
  /** Name of the environment variable that holds the secret. */
  readonly env?: string | undefined;
  /** Path of the file that holds it; a bare name is looked up in systemd's `$CREDENTIALS_DIRECTORY` first. */
  readonly file?: string | undefined;
  /** The secret and the keys that name it, for messages: `the database password (passwordEnv, passwordFile)`. */
  readonly what: string;
  readonly readEnv?: ReadEnv;
}

/**
 * The secret, or null when neither `env` nor `file` names one.
 * Throws {@linkcode ConfigError} when it is named but missing or empty.
 */
export function resolveSecret(names: SecretNames): string | null {
  const { env, file, what, readEnv = Deno.env.get } = names;
  if (env !== undefined) {
    const value = readEnv(env);
    if (value !== undefined && value !== "") return value;
    throw new ConfigError(`the environment`, [
      `cannot get ${what}: the environment variable ${env} is ${
        value === undefined ? "not set" : "empty"
      }`,
    ]);
  }
  return file === undefined ? null : readSecretFile(file, what, readEnv);
}

function readSecretFile(file: string, what: string, readEnv: ReadEnv): string {
  const path = credentialPath(file, readEnv) ?? file;
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    throw new ConfigError(path, [
      `cannot get ${what}: ${whyUnreadable(cause)}`,
    ]);
  }
  // Editors and `echo` end a file with a newline that is no part of the secret.
  const secret = text.replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new ConfigError(path, [`cannot get ${what}: the file is empty`]);
}

function credentialPath(file: string, readEnv: ReadEnv): string | null {
  const directory = readEnv("CREDENTIALS_DIRECTORY");
  if (directory === undefined || isAbsolute(file)) return null;
  const path = join(directory, file);
  try {
    return Deno.statSync(path).isFile ? path : null;
  } catch {
    return null;
  }
}
