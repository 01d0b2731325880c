/**
 * The connection to one relay: made when it is needed, again when it broke, and renewed when it is to be another one.
 *
 * @module
 */
import { fail, ok, type Result } from "../../models/result.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { connectRelay } from "../../nips/client/connect_relay.ts";
import type { RelayClient } from "../../nips/client/relay_client.ts";
import type { Dialer } from "../../transport/dialer.ts";
import {
  askedWaitSeconds,
  type RelayFailure,
} from "../../transport/failure.ts";
import type { SyncBounds } from "../protocol/job.ts";

export interface RelayConnectorOptions {
  readonly dialer: Dialer;
  readonly relay: RelayUrl;
  readonly bounds: SyncBounds;
  readonly authKey: Uint8Array | null;
  /** What may have been read and not taken, bytes. */
  readonly budget: () => number;
  /** Called before anything that came is worked on. */
  readonly onWork?: () => void;
  /** Aborts when no more is to be asked. */
  readonly signal: AbortSignal;
}

/** Waits before connecting again, after 1, 2, … attempts that failed in a row; then the relay is given up. */
const RECONNECT_AFTER_MS = [500, 3_000, 10_000] as const;

/** Larger messages end the connection, so this is larger than any event that is only dropped. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** Longest wait for the verdict on an AUTH, ms. */
const MAX_AUTH_WAIT_MS = 10_000;

export class RelayConnector implements AsyncDisposable {
  readonly #options: RelayConnectorOptions;
  #client: RelayClient | null = null;
  #connecting: Promise<Result<RelayClient, RelayFailure>> | null = null;
  #failedConnects = 0;
  #wasConnected = false;
  /** What is under way on each connection. */
  readonly #held = new Map<RelayClient, number>();
  /** The connection that was replaced, while something is under way on it. */
  #retired: RelayClient | null = null;
  /** Why the relay is given up. */
  failure: RelayFailure | null = null;

  constructor(options: RelayConnectorOptions) {
    this.#options = options;
  }

  /** How long to wait before the next attempt, ms; 0 when the last one did not fail. */
  get retryAfterMs(): number {
    return RECONNECT_AFTER_MS[this.#failedConnects - 1] ?? 0;
  }

  /** Connects if it is not connected. */
  connect(): Promise<Result<RelayClient, RelayFailure>> {
    if (this.#client !== null) return Promise.resolve(ok(this.#client));
    if (this.failure !== null) return Promise.resolve(fail(this.failure));
    this.#connecting ??= this.#dial().finally(() => this.#connecting = null);
    return this.#connecting;
  }

  /** Keeps the connection open until it is disposed, also when another one has taken its place. */
  hold(client: RelayClient): Disposable {
    this.#held.set(client, (this.#held.get(client) ?? 0) + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#release(client);
        isHeld = false;
      },
    };
  }

  /** As {@linkcode RelayRequests.renew}. */
  async renew(): Promise<boolean> {
    const client = this.#client;
    if (client === null) return this.failure === null;
    if (this.#retired !== null) return false;
    this.#client = null;
    if (this.#held.has(client)) this.#retired = client;
    else await client.close();
    return true;
  }

  /** Closes it; another one may have taken its place by now. */
  async drop(client: RelayClient): Promise<void> {
    if (this.#client === client) this.#client = null;
    await client.close();
  }

  /** Connects no more, for this reason; what is under way ends. */
  async giveUp(failure: RelayFailure): Promise<void> {
    this.failure ??= failure;
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const clients = [this.#client, this.#retired];
    this.#client = null;
    await Promise.all(clients.map((client) => client?.close()));
  }

  #release(client: RelayClient): void {
    const left = (this.#held.get(client) ?? 0) - 1;
    if (left > 0) {
      this.#held.set(client, left);
      return;
    }
    this.#held.delete(client);
    if (this.#retired !== client) return;
    client.close().finally(() => this.#retired = null);
  }

  async #dial(): Promise<Result<RelayClient, RelayFailure>> {
    const { dialer, relay, signal, authKey, bounds, budget, onWork } =
      this.#options;
    const authTimeoutMs = Math.min(MAX_AUTH_WAIT_MS, bounds.idleTimeoutMs);
    const connected = await connectRelay(dialer, relay, {
      signal,
      timeoutMs: bounds.connectTimeoutMs,
      slotTimeoutMs: this.#wasConnected ? undefined : bounds.firstSlotTimeoutMs,
      maxEventBytes: bounds.maxEventBytes,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      maxBuffered: budget,
      ...(onWork !== undefined && { onWork }),
      ...(authKey !== null &&
        { authKey, authPolicy: "when-challenged" as const, authTimeoutMs }),
    });
    if (connected.ok) {
      this.#client = connected.value;
      this.#failedConnects = 0;
      this.#wasConnected = true;
    } else this.#failed(connected.failure);
    return connected;
  }

  #failed(failure: RelayFailure): void {
    this.#failedConnects += 1;
    const isHopeless = this.#failedConnects > RECONNECT_AFTER_MS.length;
    const isToldOff = askedWaitSeconds(failure) > 0;
    // Without ever having been connected, the next cycle is soon enough.
    if (isHopeless || isToldOff || !this.#wasConnected) this.failure = failure;
  }
}
