/**
 * The pool: as many connections as allowed, handed out healthy, replaced when old, within a time.
 *
 * @module
 */
import type { BrotrConfig } from "../../config/brotr_config.ts";
import type { Connection } from "./connection.ts";
import { DatabaseError } from "./database_error.ts";

export type PoolLimits = BrotrConfig["pool"];

export interface PoolOptions {
  readonly limits: PoolLimits;
  open(signal: AbortSignal): Promise<Connection>;
}

/** How many connections there are, how many there may be, and how many ask for one. */
export interface PoolCounts {
  readonly max: number;
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

/** For how long a connection is handed out. */
interface Terms {
  readonly lifetimeMs: number;
  /** That of the moment in which its opening began. */
  readonly generation: number;
}

const NO_TERMS: Terms = { lifetimeMs: 0, generation: 0 };

/** The share of the maximal lifetime by which connections differ, so that they are not all replaced at once. */
const LIFETIME_SPREAD = 0.2;

export class Pool implements AsyncDisposable {
  readonly #limits: PoolLimits;
  readonly #open: PoolOptions["open"];
  /** The most recently used last, so that the ones nobody needs grow idle. */
  readonly #idle: Connection[] = [];
  /** First come, first served: by a connection, or by null when there is room to open one. */
  readonly #waiting: PromiseWithResolvers<Connection | null>[] = [];
  readonly #closing = new AbortController();
  readonly #terms = new WeakMap<Connection, Terms>();
  /** Connections that end; disposal waits for them. */
  readonly #farewells = new Set<Promise<void>>();
  readonly #drained = Promise.withResolvers<void>();
  #total = 0;
  /** Counts how often the connections of the time were retired. */
  #generation = 0;
  /** The question whether the server is there, for all who ask at once. */
  #asking: Promise<string | null> | null = null;
  #reaper: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PoolOptions) {
    this.#limits = options.limits;
    this.#open = options.open;
  }

  get counts(): PoolCounts {
    return {
      max: this.#limits.maxConnections,
      open: this.#total,
      idle: this.#idle.length,
      waiting: this.#waiting.length,
    };
  }

  /**
   * A connection that answered lately, for the caller alone until {@linkcode release}.
   *
   * @throws DatabaseError `exhausted`, `closed`, or why none could be opened; the signal's reason.
   */
  async acquire(signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw closed();
    // Without anything idle the place in the line is taken at once, so that the order is the caller's.
    const idle = this.#idle.length > 0 ? await this.#idleOne() : null;
    const connection = idle ?? await this.#another(signal);
    connection.uses++;
    return connection;
  }

  /** A connection beside those of the pool, which whoever asks for it closes. */
  openApart(signal: AbortSignal): Promise<Connection> {
    return this.#open(signal);
  }

  /** Gives a connection back; a dead or worn one is closed instead. */
  release(connection: Connection): void {
    connection.lastUsedAt = performance.now();
    if (this.#closing.signal.aborted || this.#isWorn(connection)) {
      this.#discard(connection);
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.resolve(connection);
      return;
    }
    this.#idle.push(connection);
    this.#scheduleReaper();
  }

  /** Hands out none of the connections that there are, and none that is being opened: each is replaced by a new one. */
  retire(): void {
    this.#generation++;
  }

  /** Opens connections until the minimum is there; the first failure is thrown. */
  async fill(signal: AbortSignal): Promise<void> {
    const wanted = Math.max(1, this.#limits.minConnections);
    const opened: Connection[] = [];
    try {
      while (this.#total < wanted) opened.push(await this.#openNew(signal));
    } finally {
      for (const connection of opened) this.release(connection);
    }
  }

  /** Null when the server answers, otherwise why not; when all connections are busy, one more is opened for this. */
  async check(signal?: AbortSignal): Promise<string | null> {
    const timeout = AbortSignal.timeout(this.#limits.healthCheckTimeoutMs);
    const limit = signal ? AbortSignal.any([timeout, signal]) : timeout;
    try {
      const idle = this.#idle.pop();
      const connection = idle ?? await this.#open(limit);
      const fault = await connection.check(this.#limits.healthCheckTimeoutMs);
      if (fault !== null) await connection.destroy();
      if (idle === undefined) await connection.close();
      else this.release(idle);
      return fault;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Hands out no more, waits for what is handed out to come back, and closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort();
    clearTimeout(this.#reaper);
    for (const connection of this.#idle.splice(0)) this.#discard(connection);
    if (this.#total > 0) await this.#drained.promise;
    await Promise.all(this.#farewells);
  }

  /** The idle connection used last, if it is still good. */
  async #idleOne(): Promise<Connection | null> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined) return null;
      if (await this.#isHealthy(idle)) return idle;
      this.#discard(idle);
    }
  }

  /** A new connection, or the next one that comes back, within the acquisition timeout. */
  async #another(signal?: AbortSignal): Promise<Connection> {
    const { acquisitionTimeoutMs } = this.#limits;
    const timeout = AbortSignal.timeout(acquisitionTimeoutMs);
    const until = [timeout, this.#closing.signal];
    const limit = AbortSignal.any(signal ? [...until, signal] : until);
    try {
      for (;;) {
        const hasRoom = this.#total < this.#limits.maxConnections;
        if (hasRoom) return await this.#openNew(limit);
        const connection = await this.#turn(limit);
        if (connection === null) continue;
        if (await this.#isHealthy(connection)) return connection;
        this.#discard(connection);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (this.#closing.signal.aborted) throw closed();
      // A failure to open says more than the time it took.
      if (!timeout.aborted || error instanceof DatabaseError) throw error;
      throw await this.#late();
    }
  }

  /** Connections that are all in use may be busy, or wait for a server that vanished without a word: it is asked. */
  async #late(): Promise<DatabaseError> {
    const { acquisitionTimeoutMs, maxConnections } = this.#limits;
    this.#asking ??= this.check().finally(() => this.#asking = null);
    const fault = await this.#asking;
    return new DatabaseError(
      fault === null ? "exhausted" : "unreachable",
      `Cannot get a database connection within ${acquisitionTimeoutMs} ms ` +
        `(pool.acquisitionTimeoutMs): ${
          fault ?? `all ${maxConnections} are in use (pool.maxConnections)`
        }`,
    );
  }

  async #openNew(signal: AbortSignal): Promise<Connection> {
    this.#total++;
    const generation = this.#generation;
    try {
      const connection = await this.#open(signal);
      const { maxLifetimeSeconds } = this.#limits;
      const share = 1 - LIFETIME_SPREAD * Math.random();
      const lifetimeMs = maxLifetimeSeconds * 1_000 * share;
      this.#terms.set(connection, { lifetimeMs, generation });
      return connection;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** Waits for a connection that comes back, or for room (null). */
  async #turn(limit: AbortSignal): Promise<Connection | null> {
    limit.throwIfAborted();
    const turn = Promise.withResolvers<Connection | null>();
    const leave = () => {
      // At once: whoever is still in the line may be given a connection.
      const place = this.#waiting.indexOf(turn);
      if (place >= 0) this.#waiting.splice(place, 1);
      turn.reject(limit.reason);
    };
    this.#waiting.push(turn);
    limit.addEventListener("abort", leave, { once: true });
    try {
      return await turn.promise;
    } finally {
      limit.removeEventListener("abort", leave);
    }
  }

  /** A connection that came back a moment ago needs no question; one that idled may be dead without knowing it. */
  async #isHealthy(connection: Connection): Promise<boolean> {
    if (this.#isWorn(connection)) return false;
    const { healthCheckIdleSeconds, healthCheckTimeoutMs } = this.#limits;
    const idleMs = performance.now() - connection.lastUsedAt;
    if (idleMs < healthCheckIdleSeconds * 1_000) return true;
    return await connection.check(healthCheckTimeoutMs) === null;
  }

  #isWorn(connection: Connection): boolean {
    const ageMs = performance.now() - connection.openedAt;
    const { lifetimeMs, generation } = this.#terms.get(connection) ?? NO_TERMS;
    return !connection.alive || connection.uses >= this.#limits.maxUses ||
      ageMs >= lifetimeMs || generation < this.#generation;
  }

  #discard(connection: Connection): void {
    const farewell = connection.close().finally(() => {
      this.#farewells.delete(farewell);
      this.#forget();
    });
    this.#farewells.add(farewell);
  }

  #forget(): void {
    this.#total--;
    this.#waiting.shift()?.resolve(null);
    if (this.#total === 0 && this.#closing.signal.aborted) {
      this.#drained.resolve();
    }
  }

  /** Closes what nobody used for the idle time, down to the minimum. */
  #scheduleReaper(): void {
    const spare = this.#total > this.#limits.minConnections;
    const oldest = this.#idle[0];
    if (this.#reaper !== undefined || !spare || oldest === undefined) return;
    const idleMs = this.#limits.idleTimeoutSeconds * 1_000;
    const waitMs = idleMs - (performance.now() - oldest.lastUsedAt);
    this.#reaper = setTimeout(() => {
      this.#reaper = undefined;
      const due = performance.now() - idleMs;
      const first = this.#idle[0];
      if (first !== undefined && first.lastUsedAt <= due) {
        this.#idle.shift();
        this.#discard(first);
      }
      this.#scheduleReaper();
    }, Math.max(waitMs, 10));
  }
}

function closed(): DatabaseError {
  return new DatabaseError(
    "closed",
    "Cannot use the database: its pool is closed",
  );
}
