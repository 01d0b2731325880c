/**
 * An outage is one line in the log when the database is lost, and one when it is back, however much work meets it.
 *
 * @module
 */
import type { Logger } from "../../log/logger.ts";
import { DatabaseError, errorCode } from "./database_error.ts";

/** For how long work waits for a database that is away. */
export interface Patience {
  /** Seconds; null for as long as it takes. */
  readonly outageSeconds: number | null;
}

export class Outage {
  readonly #log: Logger;
  readonly #patience: Patience;
  /** By `performance.now()`; null while there is none. */
  #sinceMs: number | null = null;
  /** Aborted when it is over. */
  #end = new AbortController();
  #endedMs = -Infinity;
  /** Pieces of work that met it and are not over. */
  readonly #waiting = new Set<object>();

  constructor(log: Logger, patience: Patience) {
    this.#log = log;
    this.#patience = patience;
  }

  /** Whether the database is away, as far as is known. */
  get isOn(): boolean {
    return this.#sinceMs !== null;
  }

  /** Aborts when the database is back: then there is nothing to wait for. */
  get end(): AbortSignal {
    return this.#end.signal;
  }

  /**
   * A piece of work that began at `begunAtMs` failed because the server was not there. It waits until it is told to be
   * over. What began before the end of an outage may hear of it late: that is not another one.
   */
  met(work: object, error: unknown, begunAtMs: number): void {
    this.#waiting.add(work);
    if (this.#sinceMs !== null || begunAtMs <= this.#endedMs) return;
    this.#sinceMs = performance.now();
    this.#end = new AbortController();
    const { outageSeconds } = this.#patience;
    this.#log.warn("database lost, work waits for it", {
      code: errorCode(error),
      reason: error instanceof Error ? error.message : error,
      ...(outageSeconds !== null && { waitSeconds: outageSeconds }),
    });
  }

  /** The error of work that began at `begunAtMs`: what an outage delayed was cut off by it. */
  explain(error: unknown, begunAtMs: number): unknown {
    const wasOn = this.isOn || this.#endedMs >= begunAtMs;
    if (!wasOn || !(error instanceof DatabaseError)) return error;
    if (error.fault !== "timeout" && error.fault !== "exhausted") return error;
    return new DatabaseError("unreachable", error.message, error);
  }

  /** A piece of work ended, well or not. */
  over(work: object): void {
    this.#waiting.delete(work);
  }

  /** Work that began at `begunAtMs` was done. What began before the loss says nothing: its answer was on its way. */
  worked(begunAtMs: number): void {
    if (this.#sinceMs === null || begunAtMs < this.#sinceMs) return;
    const seconds = Math.round(performance.now() - this.#sinceMs) / 1_000;
    this.#sinceMs = null;
    this.#endedMs = performance.now();
    this.#end.abort();
    this.#log.info("database is back", {
      seconds,
      retried: this.#waiting.size,
    });
  }
}
