/**
 * News: waiting for notifications of a channel (LISTEN), on a connection of its own where that can hear them.
 *
 * A notification only says that it is worth looking: none may come (PgBouncer in transaction mode, a connection that broke),
 * and so nobody waits longer than a while.
 *
 * @module
 */
import { Notifier } from "../../../base/notifier.ts";
import type { Connection } from "./connection.ts";

export interface NewsOptions {
  /** Null where no connection hears notifications. */
  readonly open: (() => Promise<Connection>) | null;
  readonly signal: AbortSignal;
}

/** How long after a connection was lost another is tried. */
const AGAIN_MS = 10_000;

export class News implements AsyncDisposable {
  readonly #channel: string;
  readonly #options: NewsOptions;
  readonly #changed = new Notifier();
  #connection: Connection | null = null;
  #triedAtMs = -Infinity;
  #hasNews = false;

  constructor(channel: string, options: NewsOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Resolves after a notification since the last call, after `ms`, or when the signal aborts. Never throws. */
  async next(ms: number): Promise<void> {
    const { signal } = this.#options;
    await this.#listen();
    if (!this.#hasNews) {
      await this.#changed.wait(
        AbortSignal.any([signal, AbortSignal.timeout(ms)]),
      );
    }
    this.#hasNews = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.close();
  }

  async #listen(): Promise<void> {
    const { open, signal } = this.#options;
    if (open === null || signal.aborted || this.#connection?.alive) return;
    if (performance.now() - this.#triedAtMs < AGAIN_MS) return;
    this.#triedAtMs = performance.now();
    try {
      const connection = await open();
      connection.onNotification(() => {
        this.#hasNews = true;
        this.#changed.notify();
      });
      this.#connection = connection;
      await connection.sql`listen ${connection.sql(this.#channel)}`;
      // What was notified before cannot be known.
      this.#hasNews = true;
    } catch {
      // The next look is made in time without it.
      await this.#connection?.destroy();
    }
  }
}
