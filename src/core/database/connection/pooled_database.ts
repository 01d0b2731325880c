/**
 * Work on a pool: each piece with its deadline, in a transaction where asked for, and again when its failure passes.
 *
 * @module
 */
import type { BrotrConfig } from "../../config/brotr_config.ts";
import { type Breaker, createBreaker } from "../../lifecycle/breaker.ts";
import { sleep } from "../../../base/sleep.ts";
import type { Logger } from "../../log/logger.ts";
import type { Database, Sql, WorkKind, WorkOptions } from "./database.ts";
import {
  DatabaseError,
  errorCode,
  isConnectionFailure,
} from "./database_error.ts";
import { interruptible } from "./interruptible.ts";
import { Outage, type Patience } from "./outage.ts";
import type { Pool, PoolCounts } from "./pool.ts";
import { isAway, Retries } from "./retries.ts";
import { inTransaction } from "./transaction.ts";
import { News } from "./news.ts";

export interface PooledDatabaseOptions {
  readonly pool: Pool;
  readonly config: Pick<
    BrotrConfig,
    "pool" | "timeouts" | "retry" | "breaker" | "serverSettings"
  >;
  /** Timeouts that the connection itself does not have are set in every transaction. */
  readonly pgbouncer: boolean;
  readonly log: Logger;
  /** Whether work waits for a server that is away as long as it takes, instead of `retry.outageSeconds`. */
  readonly isPatient: boolean;
  /** Aborts when the process is to stop: a server that is away is then waited for a moment only. */
  readonly stop: AbortSignal;
  /** Called when the last connection is closed. */
  closed?(): Promise<void>;
}

/** Waits between health checks of one round. */
const HEALTH_RETRY_MS = 200;

/** How long a process that is to stop waits for a server that is away, well within its grace period. */
const STOP_MS = 3_000;

export class PooledDatabase implements Database {
  readonly #pool: Pool;
  readonly #options: PooledDatabaseOptions;
  readonly #breaker: Breaker;
  readonly #outage: Outage;
  readonly #never = new AbortController().signal;
  /** Work in hand, retries included: disposal waits for it. */
  readonly #working = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  /** Aborted when a server that is away is not waited for any more. */
  readonly #hurry = new AbortController();
  readonly #patience: Patience;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PooledDatabaseOptions) {
    this.#pool = options.pool;
    this.#options = options;
    this.#breaker = createBreaker({
      name: "The database",
      ...options.config.breaker,
      counts: isConnectionFailure,
    });
    const { outageSeconds } = options.config.retry;
    this.#patience = {
      outageSeconds: options.isPatient ? null : outageSeconds,
    };
    this.#outage = new Outage(options.log, this.#patience);
    if (options.stop.aborted) this.#stopping();
    else options.stop.addEventListener("abort", this.#stopping, { once: true });
  }

  get connections(): PoolCounts {
    return this.#pool.counts;
  }

  get isAway(): boolean {
    return this.#outage.isOn;
  }

  run<T>(
    work: (sql: Sql) => Promise<T>,
    options: WorkOptions = {},
  ): Promise<T> {
    return this.#start(work, options);
  }

  transaction<T>(
    work: (sql: Sql) => Promise<T>,
    options: WorkOptions = {},
  ): Promise<T> {
    const settings = this.#transactionSettings(options.kind ?? "query");
    const { oneSnapshot = false } = options;
    return this.#start(
      (sql) => inTransaction(sql, work, { settings, oneSnapshot }),
      options,
    );
  }

  listen(channel: string, signal: AbortSignal): News {
    const { pgbouncer } = this.#options;
    const until = AbortSignal.any([signal, this.#closing.signal]);
    const open = () => this.#pool.openApart(until);
    return new News(channel, { open: pgbouncer ? null : open, signal: until });
  }

  async health(
    signal?: AbortSignal,
  ): Promise<{ ok: boolean; ms: number; detail?: string }> {
    const { healthCheckAttempts } = this.#options.config.pool;
    const startedAt = performance.now();
    for (let attempt = 1;; attempt++) {
      // Past the circuit breaker: asking is how one finds out.
      const detail = await this.#pool.check(signal);
      const ms = performance.now() - startedAt;
      if (detail === null) return { ok: true, ms };
      if (attempt >= healthCheckAttempts || signal?.aborted) {
        return { ok: false, ms, detail };
      }
      await sleep(HEALTH_RETRY_MS, signal ?? this.#never);
    }
  }

  /** Takes no more work, finishes what is in hand, and closes the pool. A server that is away is not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#hurry.abort();
    this.#options.stop.removeEventListener("abort", this.#stopping);
    clearTimeout(this.#stopTimer);
    await Promise.allSettled(this.#working);
    await this.#pool[Symbol.asyncDispose]();
    await this.#options.closed?.();
  }

  readonly #stopping = () => {
    this.#stopTimer = setTimeout(() => this.#hurry.abort(), STOP_MS);
  };

  #start<T>(
    work: (sql: Sql) => Promise<T>,
    options: WorkOptions,
  ): Promise<T> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(
        new DatabaseError("closed", "Cannot use the database: it is closed"),
      );
    }
    const running = this.#untilItWorks(work, options);
    const settled = running.then(() => {}, () => {}).finally(() =>
      this.#working.delete(settled)
    );
    this.#working.add(settled);
    return running;
  }

  async #untilItWorks<T>(
    work: (sql: Sql) => Promise<T>,
    options: WorkOptions,
  ): Promise<T> {
    const retries = new Retries(this.#options.config.retry, this.#patience);
    try {
      return await this.#retrying(work, options, retries);
    } finally {
      this.#outage.over(retries);
    }
  }

  async #retrying<T>(
    work: (sql: Sql) => Promise<T>,
    options: WorkOptions,
    retries: Retries,
  ): Promise<T> {
    for (;;) {
      const begunAtMs = performance.now();
      try {
        const value = await this.#breaker.run(() => this.#once(work, options));
        this.#outage.worked(begunAtMs);
        return value;
      } catch (cause) {
        options.signal?.throwIfAborted();
        const error = this.#outage.explain(cause, begunAtMs);
        if (isAway(error)) this.#outage.met(retries, error, begunAtMs);
        await this.#waitAfter(error, retries.after(error), options.signal);
      }
    }
  }

  /** Returns when it is time to try again; throws the error when it is not to be. */
  async #waitAfter(
    error: unknown,
    waitMs: number | null,
    signal: AbortSignal = this.#never,
  ): Promise<void> {
    if (waitMs === null) throw error;
    if (!isAway(error)) {
      this.#options.log.warn("database work is tried again", {
        code: errorCode(error),
        reason: error instanceof Error ? error.message : error,
        waitMs: Math.round(waitMs),
      });
      await sleep(waitMs, signal);
    } else {
      const hurry = this.#hurry.signal;
      await sleep(waitMs, AbortSignal.any([signal, hurry, this.#outage.end]));
      if (hurry.aborted) throw error;
    }
    signal.throwIfAborted();
  }

  async #once<T>(
    work: (sql: Sql) => Promise<T>,
    { kind = "query", signal }: WorkOptions,
  ): Promise<T> {
    const connection = await this.#pool.acquire(signal);
    try {
      return await interruptible(connection, work, {
        deadlineMs: this.#deadlineMs(kind),
        what: kind,
        signal,
      });
    } catch (error) {
      const readOnly = connection.readOnly(error);
      if (readOnly === undefined) throw error;
      // The next connection is made anew: behind the same name there may be the primary by now. The others go with this
      // one: they can still read, and some of them write until their process hears of it, as if the server was back.
      this.#pool.retire();
      await connection.destroy();
      throw readOnly;
    } finally {
      this.#pool.release(connection);
    }
  }

  #deadlineMs(kind: WorkKind): number | null {
    const { queryMs, batchMs, cleanupMs, refreshMs } =
      this.#options.config.timeouts;
    switch (kind) {
      case "query":
        return queryMs;
      case "batch":
        return batchMs;
      case "cleanup":
        return cleanupMs;
      case "refresh":
        return refreshMs;
    }
  }

  /** The deadline also on the server, where it holds when this process is stopped or cut off. */
  #transactionSettings(kind: WorkKind): ReadonlyMap<string, number> {
    const { statementTimeoutMs, lockTimeoutMs } =
      this.#options.config.serverSettings;
    const settings = new Map<string, number>();
    const limits = [this.#deadlineMs(kind) ?? 0, statementTimeoutMs];
    const limit = Math.min(...limits.filter((ms) => ms > 0));
    if (Number.isFinite(limit)) settings.set("statement_timeout", limit);
    if (this.#options.pgbouncer && lockTimeoutMs > 0) {
      settings.set("lock_timeout", lockTimeoutMs);
    }
    return settings;
  }
}
