/**
 * Logging in: from an address to a connection that can be worked with, or to a sentence that says why not.
 *
 * @module
 */
import type { Socket } from "node:net";
import postgres from "postgres";
import { Connection, type Notifications } from "./connection.ts";
import {
  DatabaseError,
  type DatabaseFault,
  errorCode,
} from "./database_error.ts";
import { describeAddress, type ServerAddress } from "./server_address.ts";
import { openServerSocket } from "./server_socket.ts";

export interface ConnectionOptions {
  readonly address: ServerAddress;
  /** Deadline of the socket, TLS and the login together. */
  readonly connectMs: number;
  readonly applicationName: string;
  readonly timezone: string;
  /** The server's own deadline of every statement; 0 for none. */
  readonly statementTimeoutMs: number;
  /** How long a statement may wait for a lock; 0 for none. */
  readonly lockTimeoutMs: number;
  /** Whether a server that takes no writes (a standby) is refused. */
  readonly mustWrite: boolean;
}

/** The oldest major that its makers still mend. */
const OLDEST_MAJOR = 15;

/**
 * Opens a connection and logs in.
 *
 * @throws DatabaseError that says what to do about it; a PostgresError where the server is only starting.
 */
export async function openConnection(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const { address, connectMs } = options;
  const timeout = AbortSignal.timeout(connectMs);
  const attempt = new Login(options, AbortSignal.any([signal, timeout]));
  try {
    return await attempt.finish();
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted) throw explainLogin(error, address);
    throw new DatabaseError(
      "unreachable",
      `Cannot reach PostgreSQL at ${
        describeAddress(address)
      }: no answer within ${connectMs} ms`,
      error,
    );
  }
}

/** The steps from nothing to a session; the signal ends them at any point. */
class Login {
  readonly #options: ConnectionOptions;
  readonly #signal: AbortSignal;
  readonly #ended = Promise.withResolvers<void>();
  readonly #notifications: Notifications = { listener: () => {} };
  #socket: Socket | null = null;

  constructor(options: ConnectionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async finish(): Promise<Connection> {
    const abort = () => this.#socket?.destroy();
    this.#signal.addEventListener("abort", abort);
    try {
      const client = postgres({
        ...driverOptions(this.#options, () => this.#open()),
        ...notifying(this.#notifications),
      });
      // Behind PgBouncer the session is not ours to change.
      const isOwn = !this.#options.address.pgbouncer;
      const rows = await Promise.race([
        client<ServerFacts[]>`
          select current_setting('server_version_num')::int as version,
            current_setting('server_encoding') as encoding,
            pg_is_in_recovery() as "isStandby",
            current_setting('transaction_read_only')::bool as "readOnly",
            (select source in ('user', 'database user') from pg_settings
              where name = 'default_transaction_read_only')
              as "readsByRole",
            case when current_setting('synchronous_commit') <> 'off' then true
              else ${isOwn}::bool
                and set_config('synchronous_commit', 'on', false) = 'on'
            end as "keepsCommits"`,
        this.#ended.promise.then(() => {
          throw lost(this.#options.address);
        }),
      ]);
      return this.#loggedIn(client, rows);
    } catch (error) {
      this.#socket?.destroy();
      if (this.#socket) await this.#ended.promise;
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", abort);
    }
  }

  /** The driver asks for a second socket when the first is gone; there is none, or its state would be lost unseen. */
  async #open(): Promise<Socket> {
    if (this.#socket !== null) throw lost(this.#options.address);
    const socket = await openServerSocket(this.#options.address, this.#signal);
    this.#socket = socket;
    socket.once("close", () => {
      this.#ended.resolve();
      // The driver takes all listeners off now; an error that comes even later must not go uncaught.
      queueMicrotask(() => socket.on("error", () => {}));
    });
    return socket;
  }

  #loggedIn(
    client: postgres.Sql,
    rows: postgres.RowList<ServerFacts[]>,
  ): Connection {
    const { address, mustWrite } = this.#options;
    const [facts] = rows;
    if (this.#socket === null || facts === undefined) throw lost(address);
    demandUsable(facts, this.#options);
    const { pid, secret } = rows.state;
    return new Connection({
      client,
      mustWrite,
      socket: this.#socket,
      address,
      key: { pid, secret },
      ended: this.#ended.promise,
      notifications: this.#notifications,
    });
  }
}

/** The server as it describes itself. */
interface ServerFacts {
  /** Such as 150018 for 15.18. */
  readonly version: number;
  readonly encoding: string;
  readonly isStandby: boolean;
  readonly readOnly: boolean;
  /** Whether it is the role that may only read, and not the server. */
  readonly readsByRole: boolean;
  /** Whether what is committed outlives a crash of the server: proofs of what is archived rely on it. */
  readonly keepsCommits: boolean;
}

/** Throws what is wrong with a server that cannot be used, and what to do about it. */
function demandUsable(
  facts: ServerFacts,
  { address, mustWrite }: Pick<ConnectionOptions, "address" | "mustWrite">,
): void {
  const { version, encoding, isStandby, readOnly, readsByRole } = facts;
  const refuse = (fault: DatabaseFault, why: string) =>
    new DatabaseError(
      fault,
      `Cannot use PostgreSQL at ${describeAddress(address)}: ${why}`,
    );
  const major = Math.floor(version / 10_000);
  if (major < OLDEST_MAJOR) {
    throw refuse(
      "version",
      `version ${OLDEST_MAJOR} or newer is needed, this is ${major}.${
        version % 10_000
      }`,
    );
  }
  // SQL_ASCII would take anything, and give back what is no text.
  if (encoding !== "UTF8") {
    throw refuse(
      "encoding",
      `a database in UTF8 is needed, this one is in ${encoding}. ` +
        `Make one: createdb -E UTF8 -T template0 --locale=C ${address.database}`,
    );
  }
  if (mustWrite && !facts.keepsCommits) {
    throw refuse(
      "refused",
      "it loses what was committed when it crashes (synchronous_commit is off), and behind PgBouncer that cannot be " +
        `changed for a session. Change it there: alter role ${address.user} set synchronous_commit = on`,
    );
  }
  if (!mustWrite || !readOnly) return;
  if (isStandby) throw refuse("read-only", "it is a standby, not the primary");
  if (!readsByRole) throw refuse("read-only", "it takes no writes now");
  throw refuse(
    "refused",
    `the role ${address.user} is read-only, and this has to write`,
  );
}

/** An option that the driver has and its types have not. */
function notifying(notifications: Notifications): Record<string, unknown> {
  return { onnotify: () => notifications.listener() };
}

/** Everything is said, because the driver takes what is missing from `PG…` variables of the environment. */
function driverOptions(
  options: ConnectionOptions,
  socket: () => Promise<Socket>,
) {
  const { address } = options;
  return {
    ...("path" in address.endpoint ? address.endpoint : {
      host: address.endpoint.host,
      port: address.endpoint.port,
    }),
    socket,
    database: address.database,
    user: address.user,
    password: () => address.password ?? "",
    ssl: false,
    max: 1,
    prepare: !address.pgbouncer,
    // Nothing of ours comes as an array; and when the connection breaks while the driver asks for their types, it
    // rejects a promise that nobody can catch, which would end the process.
    fetch_types: false,
    // Idle time, age and the time to connect are the pool's business.
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 0,
    keep_alive: 60,
    onnotice: () => {},
    connection: startupParameters(options),
  };
}

/**
 * Settings that SQL means something else by, or prints something else by, where a database or role sets them. Said here,
 * so that a server is not taken as it is found.
 */
export const SESSION_SETTINGS = {
  standard_conforming_strings: "on",
  quote_all_identifiers: "off",
  bytea_output: "hex",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  extra_float_digits: "1",
  transform_null_equals: "off",
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
} as const;

/** Those of them that PgBouncer carries from client to client. */
const POOLED_SETTINGS = {
  standard_conforming_strings: SESSION_SETTINGS.standard_conforming_strings,
  DateStyle: SESSION_SETTINGS.DateStyle,
} as const;

/** PgBouncer refuses parameters it does not know, so there the timeouts are set in each transaction instead. */
function startupParameters(
  options: ConnectionOptions,
): Record<string, string | number> {
  const { address, statementTimeoutMs, lockTimeoutMs } = options;
  const own = !address.pgbouncer;
  return {
    application_name: options.applicationName,
    TimeZone: options.timezone,
    ...(own ? SESSION_SETTINGS : POOLED_SETTINGS),
    ...(own && statementTimeoutMs > 0 &&
      { statement_timeout: statementTimeoutMs }),
    ...(own && lockTimeoutMs > 0 && { lock_timeout: lockTimeoutMs }),
  };
}

function lost(address: ServerAddress): DatabaseError {
  return new DatabaseError(
    "unreachable",
    `Lost the connection to PostgreSQL at ${describeAddress(address)}`,
  );
}

/** Turns a refused login into an error that says what to do about it. */
function explainLogin(error: unknown, address: ServerAddress): unknown {
  if (error instanceof DatabaseError) return error;
  if (!(error instanceof postgres.PostgresError)) {
    return explainBreak(error, address);
  }
  const at = describeAddress(address);
  switch (error.code) {
    case "28P01":
    case "28000":
      return new DatabaseError(
        "refused",
        `Cannot log in to PostgreSQL at ${at}: ${error.message}. ` +
          `The password comes from passwordEnv, passwordFile or the URL`,
        error,
      );
    case "3D000":
      return new DatabaseError(
        "missing",
        `Cannot use PostgreSQL at ${at}: ${error.message}. ` +
          `Create it first: createdb ${address.database}`,
        error,
      );
    default:
      return error;
  }
}

function explainBreak(error: unknown, address: ServerAddress): DatabaseError {
  const at = describeAddress(address);
  const said = error instanceof Error ? error.message : String(error);
  // Older versions of Deno find a certificate bad only after they have said that the connection is secure.
  if (errorCode(error) === undefined && mayBeTls(address)) {
    return new DatabaseError(
      "refused",
      `Cannot trust PostgreSQL at ${at} (TLS mode ${address.tls}): ${said}`,
      error,
    );
  }
  return new DatabaseError(
    "unreachable",
    `Cannot reach PostgreSQL at ${at}: ${said}`,
    error,
  );
}

function mayBeTls({ endpoint, tls }: ServerAddress): boolean {
  return "host" in endpoint && tls !== "disable";
}
