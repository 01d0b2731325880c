/**
 * Password of a server where the configuration names none: as libpq finds it, in `PGPASSWORD` or the password file.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 * @module
 */
import { join } from "node:path";
import type { ReadEnv } from "./secret.ts";

/** What a line of the file must match. */
export interface PasswordTarget {
  /** Name or address; of a socket its directory, which `localhost` matches too. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password, or null where there is none. A file that others may read is not used, as libpq does: `passwordFileFault`
 * says so.
 */
export function libpqPassword(
  target: PasswordTarget,
  readEnv: ReadEnv,
): string | null {
  const password = readEnv("PGPASSWORD");
  if (password !== undefined && password !== "") return password;
  const path = passwordFile(readEnv);
  if (path === null || passwordFileFault(readEnv) !== null) return null;
  return passwordIn(readText(path), target);
}

/** Why the password file is not used, with its path; null when it is, or when there is none. */
export function passwordFileFault(readEnv: ReadEnv): string | null {
  const path = passwordFile(readEnv);
  if (path === null) return null;
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile) return `${path} is no file`;
    if ((mode ?? 0) & 0o077) {
      return `${path} is not used, as others may read it: chmod 600 ${path}`;
    }
    return null;
  } catch {
    return null;
  }
}

function passwordFile(readEnv: ReadEnv): string | null {
  const named = readEnv("PGPASSFILE");
  if (named) return named;
  const home = readEnv("HOME");
  return home ? join(home, ".pgpass") : null;
}

/** The text; nothing of a file that is not there or is somebody else's. */
function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The password of the first line that matches: `host:port:database:user:password`, `*` for any. */
export function passwordIn(
  text: string,
  { host, port, database, user }: PasswordTarget,
): string | null {
  const wanted = [
    host.startsWith("/") ? [host, "localhost"] : [host],
    [String(port)],
    [database],
    [user],
  ];
  for (const line of text.split(/\r?\n/)) {
    if (line === "" || line.startsWith("#")) continue;
    const fields = fieldsOf(line);
    const isMatch = wanted.every((names, index) => {
      const field = fields[index];
      return field === "*" || (field !== undefined && names.includes(field));
    });
    if (isMatch && fields[4] !== undefined) return fields[4];
  }
  return null;
}

/** Fields between colons; a backslash takes the character behind it as it is. The last field may hold colons. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  for (let at = 0; at < line.length; at++) {
    if (line[at] === ":" && fields.length < 4) {
      fields.push(field);
      field = "";
      continue;
    }
    if (line[at] === "\\" && at + 1 < line.length) at++;
    field += line.charAt(at);
  }
  return [...fields, field];
}
