/**
 * Manners of a crawler: few sockets per address, few new connections per minute. Who has to wait waits in line.
 *
 * @module
 */
import { fail, ok, type Result } from "../models/result.ts";
import { type Deadline, deadlineIn, runStep, type Settle } from "./deadline.ts";
import type { RelayFailure } from "./failure.ts";

/** Bounds of what one process opens. */
export interface PolitenessOptions {
  /** Sockets open at once to one address. Default: 2. */
  readonly maxSocketsPerAddress?: number | undefined;
  /** A sixth of them may be opened at once. Default: 1200. */
  readonly maxNewConnectionsPerMinute?: number | undefined;
}

/** What several dialers keep together, as it is one operator's relays that they meet. */
export class Politeness {
  readonly slots: AddressSlots;
  readonly rate: ConnectionRate;

  constructor(options: PolitenessOptions) {
    this.slots = new AddressSlots(options.maxSocketsPerAddress ?? 2);
    this.rate = new ConnectionRate(options.maxNewConnectionsPerMinute ?? 1_200);
  }

  /** The value as manners; undefined stands for none to share. Throws when it is anything else. */
  static of(value: unknown): Politeness | undefined {
    if (value === undefined || value instanceof Politeness) return value;
    throw new TypeError(`Cannot dial by manners that are none: ${value}`);
  }
}

/** How long to stand in line. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Who is asked before each connection, and told when it is over: this thread, or the one that keeps the books for all. */
export interface ConnectionLimiter {
  /** Takes one connection from the budget; says how long to wait before making it, ms. */
  reserve(): Promise<number>;
  /** As {@linkcode AddressSlots.take}. */
  take(
    addresses: readonly string[],
    options: WaitOptions,
  ): Promise<Result<readonly string[], RelayFailure>>;
  /** As {@linkcode AddressSlots.free}. */
  free(addresses: readonly string[]): void;
}

/** The gate of one dialer: the seats are those it shares with others, and its connections count on both rates. */
export function limiterOf(
  own: Politeness,
  shared: Politeness = own,
): ConnectionLimiter {
  const rates = new Set([own.rate, shared.rate]);
  return {
    reserve: () =>
      Promise.resolve(Math.max(...[...rates].map((rate) => rate.reserve()))),
    take: (addresses, options) => shared.slots.take(addresses, options),
    free: (addresses) => shared.slots.free(addresses),
  };
}

/** Seats at addresses, taken before dialling and given back when the socket is closed. */
export class AddressSlots {
  readonly #perAddress: number;
  readonly #taken = new Map<string, number>();
  readonly #line = new Set<() => void>();

  constructor(perAddress: number) {
    this.#perAddress = perAddress;
  }

  /**
   * Takes a seat at each of the addresses that has one free, at least one; waits in line while none has.
   * After `timeoutMs` the failure is `busy`.
   */
  async take(
    addresses: readonly string[],
    { timeoutMs, signal }: WaitOptions,
  ): Promise<Result<readonly string[], RelayFailure>> {
    const deadline = deadlineIn(timeoutMs, signal);
    while (true) {
      // Here and not by whoever frees one: a seat must never be given to somebody who has just left the line.
      const free = this.#takeFree(addresses);
      if (free.length > 0) return ok(free);
      const waited = await this.#wait(deadline);
      if (waited.ok) continue;
      if (waited.failure.code !== "timeout") return waited;
      const detail = `${this.#perAddress} sockets are open to ` +
        `${addresses.join(", ")}: no seat within ${timeoutMs} ms`;
      return fail({ code: "busy", detail });
    }
  }

  /** Until a seat somewhere is given back. */
  #wait(deadline: Deadline): Promise<Result<null, RelayFailure>> {
    return runStep("seat", deadline, (settle: Settle<null>) => {
      const wake = () => settle(ok(null));
      this.#line.add(wake);
      return () => this.#line.delete(wake);
    });
  }

  /** Gives seats back and lets those in line try, first come first. */
  free(addresses: readonly string[]): void {
    for (const address of addresses) {
      const left = (this.#taken.get(address) ?? 0) - 1;
      if (left > 0) this.#taken.set(address, left);
      else this.#taken.delete(address);
    }
    for (const wake of this.#line) wake();
  }

  #takeFree(addresses: readonly string[]): string[] {
    const free = addresses.filter((address) =>
      (this.#taken.get(address) ?? 0) < this.#perAddress
    );
    for (const address of free) {
      this.#taken.set(address, (this.#taken.get(address) ?? 0) + 1);
    }
    return free;
  }
}

/** A bound on new connections: never more than `perMinute` in any minute, a sixth of them at once. */
export class ConnectionRate {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(perMinute: number, nowMs = performance.now()) {
    this.#burst = Math.max(1, perMinute / 6);
    this.#perMs = Math.max(perMinute - this.#burst, 1) / 60_000;
    this.#tokens = this.#burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes one connection from the budget; says how long to wait before making it, ms. */
  reserve(nowMs = performance.now()): number {
    const passedMs = nowMs - this.#filledAtMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + passedMs * this.#perMs);
    this.#filledAtMs = nowMs;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}
