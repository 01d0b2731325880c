/**
 * Politeness of a crawler: few sockets per address and few new connections per minute; further ones wait.
 *
 * @module
 */
import { TokenBucket } from "../base/token_bucket.ts";
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

/** The books that several dialers share, as the relays they meet belong to the same operators. */
export class Politeness {
  readonly slots: AddressSlots;
  readonly rate: TokenBucket;

  constructor(options: PolitenessOptions) {
    this.slots = new AddressSlots(options.maxSocketsPerAddress ?? 2);
    this.rate = connectionRate(options.maxNewConnectionsPerMinute ?? 1_200);
  }

  /** The value as politeness; undefined stands for none to share. Throws when it is anything else. */
  static of(value: unknown): Politeness | undefined {
    if (value === undefined || value instanceof Politeness) return value;
    throw new TypeError(
      `Cannot share the limits of a dialer as they are no Politeness: ${value}`,
    );
  }
}

/** Bounds of one wait. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Permission for each connection of a dialer: by books in this thread, or by a proxy to those of the main thread. */
export interface ConnectionLimiter {
  /** Takes one connection from the budget; returns how long to wait before it is made, ms. */
  reserve(): Promise<number>;
  /** As {@linkcode AddressSlots.acquire}. */
  acquire(
    addresses: readonly string[],
    options: WaitOptions,
  ): Promise<Result<readonly string[], RelayFailure>>;
  /** As {@linkcode AddressSlots.release}. */
  release(addresses: readonly string[]): void;
}

/** The limiter of one dialer: its slots are those it shares with others, and its connections count on both rates. */
export function limiterOf(
  own: Politeness,
  shared: Politeness = own,
): ConnectionLimiter {
  const rates = new Set([own.rate, shared.rate]);
  return {
    reserve: () =>
      Promise.resolve(Math.max(...[...rates].map((rate) => rate.take(1)))),
    acquire: (addresses, options) => shared.slots.acquire(addresses, options),
    release: (addresses) => shared.slots.release(addresses),
  };
}

/** Slots at addresses, acquired before dialling and released when the socket is closed. */
export class AddressSlots {
  readonly #perAddress: number;
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  constructor(perAddress: number) {
    this.#perAddress = perAddress;
  }

  /**
   * Takes a slot at each of the addresses that has one free, at least one; waits while none has.
   * After `timeoutMs` the failure is `busy`.
   */
  async acquire(
    addresses: readonly string[],
    { timeoutMs, signal }: WaitOptions,
  ): Promise<Result<readonly string[], RelayFailure>> {
    const deadline = deadlineIn(timeoutMs, signal);
    while (true) {
      // Taken here and not by `release`: a slot must never go to a caller that has just given up.
      const free = this.#takeFree(addresses);
      if (free.length > 0) return ok(free);
      const waited = await this.#wait(deadline);
      if (waited.ok) continue;
      if (waited.failure.code !== "timeout") return waited;
      const detail = `${this.#perAddress} sockets are open to ` +
        `${addresses.join(", ")}: no slot within ${timeoutMs} ms`;
      return fail({ code: "busy", detail });
    }
  }

  /** Waits until a slot somewhere is given back. */
  #wait(deadline: Deadline): Promise<Result<null, RelayFailure>> {
    return runStep("slot", deadline, (settle: Settle<null>) => {
      const wake = () => settle(ok(null));
      this.#waiting.add(wake);
      return () => this.#waiting.delete(wake);
    });
  }

  /** Gives slots back, and lets those that wait try, first come first. */
  release(addresses: readonly string[]): void {
    for (const address of addresses) {
      const left = (this.#taken.get(address) ?? 0) - 1;
      if (left > 0) this.#taken.set(address, left);
      else this.#taken.delete(address);
    }
    for (const wake of this.#waiting) wake();
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
export function connectionRate(
  perMinute: number,
  nowMs = performance.now(),
): TokenBucket {
  const capacity = Math.max(1, perMinute / 6);
  const perSecond = Math.max(perMinute - capacity, 1) / 60;
  return new TokenBucket({ capacity, perSecond }, nowMs);
}
