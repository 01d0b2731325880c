/**
 * One connection to the server: a postgres.js client of exactly one socket, that can be cancelled and is never
 * silently replaced. (The driver's own pool reconnects in the middle of a transaction and can crash the process
 * when a reserved connection dies: porsager/postgres#1154, #1208.)
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type postgres from "postgres";
import type { Sql } from "./database.ts";
import { DatabaseError, errorCode, READ_ONLY_STATE } from "./database_error.ts";
import { describeAddress, type ServerAddress } from "./server_address.ts";
import { openServerSocket } from "./server_socket.ts";

/** How long the server may take to end a session before the socket is simply closed. */
const GOODBYE_SECONDS = 2;

/** How long asking for a cancellation may take. */
const CANCEL_MS = 5_000;

const NO_ANSWER = "the server does not answer";

/** Where the driver leaves notifications. */
export interface Notifications {
  listener: () => void;
}

/** A logged-in session. Owned by whoever opened it. */
export class Connection {
  readonly sql: Sql;
  readonly openedAt = performance.now();
  /** Resolves when the socket is closed, for whatever reason. */
  readonly ended: Promise<void>;
  /** How often the pool handed it out, and when it came back. */
  uses = 0;
  lastUsedAt = performance.now();
  readonly #client: postgres.Sql;
  readonly #socket: Socket;
  readonly #address: ServerAddress;
  readonly #key: { readonly pid: number; readonly secret: number };
  readonly #mustWrite: boolean;
  #alive = true;
  readonly #notifications: Notifications;

  constructor(login: {
    readonly client: postgres.Sql;
    /** Whether a server that takes no writes is of no use. */
    readonly mustWrite: boolean;
    readonly socket: Socket;
    readonly address: ServerAddress;
    readonly key: { readonly pid: number; readonly secret: number };
    readonly ended: Promise<void>;
    readonly notifications: Notifications;
  }) {
    this.sql = login.client;
    this.ended = login.ended;
    this.#client = login.client;
    this.#socket = login.socket;
    this.#address = login.address;
    this.#key = login.key;
    this.#mustWrite = login.mustWrite;
    this.#notifications = login.notifications;
    this.#socket.once("close", () => this.#alive = false);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /**
   * Calls `listener` when the socket closes, until disposed. (Waiting for `ended` in each piece of work would keep
   * all their results as long as the connection lives.)
   */
  onEnd(listener: () => void): Disposable {
    this.#socket.once("close", listener);
    return {
      [Symbol.dispose]: () => {
        this.#socket.removeListener("close", listener);
      },
    };
  }

  /** Calls `listener` when a channel that this session listens to has news. */
  onNotification(listener: () => void): void {
    this.#notifications.listener = listener;
  }

  /** The error of work that the end of the connection ended, whatever the socket called it. */
  lost(cause?: unknown): DatabaseError {
    return new DatabaseError(
      "unreachable",
      `Lost the connection to PostgreSQL at ${describeAddress(this.#address)}`,
      cause,
    );
  }

  /** The error of a write that the server takes no more, where it did when we came; undefined for any other. */
  readOnly(cause: unknown): DatabaseError | undefined {
    if (!this.#mustWrite || errorCode(cause) !== READ_ONLY_STATE) return;
    return new DatabaseError(
      "read-only",
      `Cannot write to PostgreSQL at ${
        describeAddress(this.#address)
      } any more: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    );
  }

  /** Null when the server answers within the time, and takes writes where it must; otherwise why not. */
  async check(timeoutMs: number): Promise<string | null> {
    const timeout = Promise.withResolvers<string>();
    const timer = setTimeout(() => timeout.resolve(NO_ANSWER), timeoutMs);
    try {
      const answer = this.#ask().catch(() => NO_ANSWER);
      return await Promise.race([answer, timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<string | null> {
    const [row] = await this.sql<{ readOnly: boolean }[]>`
      select current_setting('transaction_read_only')::bool as "readOnly"`;
    return this.#mustWrite && row!.readOnly
      ? "the server takes no writes"
      : null;
  }

  /** Asks the server to stop the statement that runs here; it then fails with 57014. Throws when it cannot be asked. */
  async cancel(): Promise<void> {
    const signal = AbortSignal.timeout(CANCEL_MS);
    const socket = await openServerSocket(this.#address, signal);
    const message = Buffer.alloc(16);
    message.writeUInt32BE(16, 0);
    message.writeUInt32BE(80_877_102, 4);
    message.writeUInt32BE(this.#key.pid, 8);
    message.writeUInt32BE(this.#key.secret, 12);
    const closed = Promise.withResolvers<void>();
    const close = () => socket.destroy();
    socket.once("close", () => closed.resolve()).on("error", () => {});
    signal.addEventListener("abort", close, { once: true });
    socket.resume();
    socket.write(message);
    // The server hangs up once it has passed the request on.
    await closed.promise;
    signal.removeEventListener("abort", close);
    signal.throwIfAborted();
  }

  /** Says goodbye, after what is still under way. */
  async close(): Promise<void> {
    if (this.#alive) await this.#client.end({ timeout: GOODBYE_SECONDS });
    await this.destroy();
  }

  /** Closes the socket at once; the server rolls back what was under way. */
  async destroy(): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }
}
