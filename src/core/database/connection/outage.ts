/**
 * An outage is one line in the log when the database is lost, and one when it is back, however much work meets it.
 *
 * @module
 */
import type { Logger } from "../../log/logger.ts";
import { errorCode } from "./database_error.ts";

export class Outage {
  readonly #log: Logger;
  /** By `performance.now()`; null while there is none. */
  #sinceMs: number | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Work failed because the server was not there. */
  met(error: unknown): void {
    if (this.#sinceMs !== null) return;
    this.#sinceMs = performance.now();
    this.#log.warn("database lost, work waits for it", {
      code: errorCode(error),
      reason: error instanceof Error ? error.message : error,
    });
  }

  /** Work that began at `begunAtMs` was done. What began before the loss says nothing: its answer was on its way. */
  worked(begunAtMs: number): void {
    if (this.#sinceMs === null || begunAtMs < this.#sinceMs) return;
    const seconds = Math.round(performance.now() - this.#sinceMs) / 1_000;
    this.#sinceMs = null;
    this.#log.info("database is back", { seconds });
  }
}
