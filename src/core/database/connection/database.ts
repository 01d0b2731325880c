/**
 * The database as services see it: healthy connections, deadlines, and retries by SQLSTATE.
 *
 * @module
 */
import type postgres from "postgres";

/** One connection, as postgres.js gives it: a tagged template that sends parameters. */
export type Sql = postgres.ISql;

/** Which deadline of `config/brotr.yaml` (`timeouts`) a piece of work has. */
export type WorkKind = "query" | "batch" | "cleanup" | "refresh";

export interface WorkOptions {
  /** Default: `query`. */
  readonly kind?: WorkKind;
  readonly signal?: AbortSignal;
  /**
   * Whether all statements of a transaction see what its first one saw (`repeatable read`). What another changed meanwhile
   * is met as a failure that is transient. Default: each sees what is committed when it begins.
   */
  readonly oneSnapshot?: boolean;
}

/** A pool of connections to one PostgreSQL. The pool outlives everyone who flushes into it. */
export interface Database extends AsyncDisposable {
  /** Runs `work` on one healthy connection; retried as a whole when the failure is transient. */
  run<T>(work: (sql: Sql) => Promise<T>, options?: WorkOptions): Promise<T>;
  /** The same inside one transaction. `work` may be run again, so it must not have effects elsewhere. */
  transaction<T>(
    work: (sql: Sql) => Promise<T>,
    options?: WorkOptions,
  ): Promise<T>;
  /**
   * Waits for notifications of a channel, on a connection beside the pool. Where none can be heard (PgBouncer) its `next`
   * is but a wait; what is notified is asked of the tables.
   */
  listen(
    channel: string,
    signal: AbortSignal,
  ): AsyncDisposable & { next(ms: number): Promise<void> };
  /** For metrics: connections allowed and open, those of them idle, and work that waits for one. */
  readonly connections: {
    readonly max: number;
    readonly open: number;
    readonly idle: number;
    readonly waiting: number;
  };
  /** Whether work waits for a server that is away: it was said once, and need not be by all who meet it. */
  readonly isAway: boolean;
  /** Whether the server answers now, takes writes where it must, and how long it took. */
  health(
    signal?: AbortSignal,
  ): Promise<{ ok: boolean; ms: number; detail?: string }>;
}
