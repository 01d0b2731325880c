/**
 * Which server the configuration means: its URL or its parts become one checked address.
 *
 * @module
 */
import { join } from "node:path";
import { type BrotrConfig, TLS_MODES } from "../../config/brotr_config.ts";
import { ConfigError, whyUnreadable } from "../../config/config_error.ts";
import { libpqPassword } from "../../config/pgpass.ts";
import { type ReadEnv, resolveSecret } from "../../config/secret.ts";

/** How much of TLS is demanded; the names are libpq's. */
export type TlsMode = typeof TLS_MODES[number];

/** A server and the way in. Never logged as a whole: it holds the password. */
export interface ServerAddress {
  readonly endpoint: Endpoint;
  readonly database: string;
  readonly user: string;
  readonly password: string | null;
  readonly tls: TlsMode;
  /** PEM of the authorities to trust; null for the public ones. */
  readonly ca: string | null;
  /** Behind PgBouncer in transaction mode nothing may outlive a transaction on the connection. */
  readonly pgbouncer: boolean;
}

/** A Unix socket, or a port of a host. */
export type Endpoint =
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

/**
 * The server of `config/brotr.yaml` or `--database URL`; null when neither names one (then it is the embedded one).
 *
 * @throws ConfigError for a URL that cannot be read, a missing secret or authority file.
 */
export function serverAddress(
  config: BrotrConfig["database"],
  readEnv?: ReadEnv,
): ServerAddress | null {
  if (config.url === undefined && config.host === undefined) return null;
  const parts = config.url === undefined ? {} : parseServerUrl(config.url);
  const host = parts.host ?? config.host ?? "localhost";
  const port = parts.port ?? config.port;
  const database = parts.database ?? config.database;
  const user = parts.user ?? config.user;
  const caFile = parts.caFile ?? config.caFile;
  return {
    endpoint: host.startsWith("/")
      ? { path: socketPath(host, port) }
      : { host, port },
    database,
    user,
    password: parts.password ?? resolveSecret({
      env: config.passwordEnv,
      file: config.passwordFile,
      what: "the database password (passwordEnv, passwordFile)",
      ...(readEnv && { readEnv }),
    }) ??
      libpqPassword({ host, port, database, user }, readEnv ?? Deno.env.get),
    tls: parts.tls ?? config.tls,
    ca: caFile === undefined ? null : readAuthorities(caFile),
    pgbouncer: config.pgbouncer,
  };
}

/** The path of the socket in `directory` of a server that listens on `port`. */
export function socketPath(directory: string, port: number): string {
  return join(directory, `.s.PGSQL.${port}`);
}

/** For messages: `db.example:5432/bigbrotr as bigbrotr`, without the password. */
export function describeAddress(address: ServerAddress): string {
  const { endpoint, database, user } = address;
  const where = "path" in endpoint
    ? endpoint.path
    : endpoint.host.includes(":")
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`;
  return `${where}, database "${database}", user "${user}"`;
}

interface UrlParts {
  host?: string;
  port?: number;
  database?: string;
  user?: string;
  password?: string;
  tls?: TlsMode;
  caFile?: string;
}

/** libpq's URL: the query may name every part, too (`postgresql:///name?host=/run/postgresql`). */
function parseServerUrl(text: string): UrlParts {
  const url = readUrl(text);
  const parts: UrlParts = {};
  if (url.hostname !== "") parts.host = plainHost(url.hostname);
  if (url.port !== "") parts.port = Number(url.port);
  if (url.pathname.length > 1) {
    parts.database = decodeURIComponent(url.pathname.slice(1));
  }
  if (url.username !== "") parts.user = decodeURIComponent(url.username);
  if (url.password !== "") parts.password = decodeURIComponent(url.password);
  for (const [key, value] of url.searchParams) setParameter(parts, key, value);
  if (parts.host?.includes(",")) {
    throw badUrl("one host is expected, not a list of hosts");
  }
  return parts;
}

function readUrl(text: string): URL {
  try {
    const url = new URL(text);
    // Both must decode, too: a stray "%" in a password is the commonest mistake.
    decodeURIComponent(url.pathname + url.username + url.password);
    if (!isTorn(url)) return url;
  } catch {
    // As below.
  }
  throw badUrl(
    "it is not of the form postgresql://user:password@host:port/database " +
      "(special characters percent-encoded)",
  );
}

/** Whether a password with a bare `/`, `?` or `#` ended the host too soon: its rest must not be taken for a name, and shown. */
function isTorn({ pathname, searchParams, hash }: URL): boolean {
  return hash !== "" || [pathname, ...searchParams.keys()].join().includes("@");
}

/** IPv6 without its brackets; a socket directory without its percent escapes. */
function plainHost(hostname: string): string {
  return decodeURIComponent(hostname.replace(/^\[(.*)\]$/, "$1"));
}

function setParameter(parts: UrlParts, key: string, value: string): void {
  switch (key) {
    case "host":
    case "user":
    case "password":
      parts[key] = value;
      return;
    case "dbname":
      parts.database = value;
      return;
    case "port":
      parts.port = parsePort(value);
      return;
    case "sslmode":
      parts.tls = parseTlsMode(value);
      return;
    case "sslrootcert":
      parts.caFile = value;
      return;
    default:
      throw badUrl(
        `unknown parameter "${key}" (known: host, port, user, password, dbname, sslmode, sslrootcert)`,
      );
  }
}

function parsePort(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw badUrl(`"port" must be 1 to 65535: current value is ${value}`);
}

function parseTlsMode(value: string): TlsMode {
  if (value === "allow") return "prefer";
  const mode = TLS_MODES.find((mode) => mode === value);
  if (mode !== undefined) return mode;
  throw badUrl(
    `"sslmode" must be one of ${
      TLS_MODES.join(", ")
    }: current value is ${value}`,
  );
}

/** Says what is wrong without the URL itself, which may hold a password. */
function badUrl(why: string): ConfigError {
  return new ConfigError("the database URL", [why]);
}

function readAuthorities(path: string): string {
  let pem: string;
  try {
    pem = Deno.readTextFileSync(path);
  } catch (cause) {
    throw new ConfigError(path, [
      `cannot read the certificate authority (caFile): ${whyUnreadable(cause)}`,
    ]);
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new ConfigError(path, [
    "the certificate authority (caFile) must be a PEM file with a certificate in it",
  ]);
}
