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
  /** Host and port, as they stand in the URL, of whom the addresses are. */
  readonly authority?: string;
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
  /** Sockets open at once to one address. */
  readonly perAddress: number;
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  /** The addresses that an authority was last found at. */
  readonly #places = new Map<string, Place>();

  constructor(perAddress: number) {
    this.perAddress = perAddress;
  }

  /**
   * Takes a slot at each of the addresses that has one free, at least one; waits while none has, behind those that wait
   * already. After `timeoutMs` (0: at once) the failure is `busy`.
   */
  async acquire(
    addresses: readonly string[],
    { timeoutMs, signal, authority }: WaitOptions,
  ): Promise<Result<readonly string[], RelayFailure>> {
    if (authority !== undefined) this.#learn(authority, addresses);
    const atOnce = this.#take(this.#freeFor(addresses));
    if (atOnce.length > 0) return ok(atOnce);
    const taken = timeoutMs > 0
      ? await this.#waitFor(addresses, deadlineIn(timeoutMs, signal))
      : null;
    if (taken !== null && (taken.ok || taken.failure.code !== "timeout")) {
      return taken;
    }
    this.#hold(authority);
    const detail = `${this.perAddress} sockets are open to ` +
      `${addresses.join(", ")}: no slot within ${timeoutMs} ms`;
    return fail({ code: "busy", detail });
  }

  /** Gives slots back, and lets those that wait try, first come first. */
  release(addresses: readonly string[]): void {
    for (const address of addresses) {
      const left = (this.#taken.get(address) ?? 0) - 1;
      if (left > 0) this.#taken.set(address, left);
      else this.#taken.delete(address);
    }
    for (const { wake } of this.#waiting) wake();
  }

  /** Whether whoever dials this authority (host and port as in a URL) now would find no slot, as far as is known. */
  isFull(authority: string, wanted = this.#wanted()): boolean {
    const place = this.#places.get(authority);
    if (place === undefined) return false;
    if (place.heldUntil > performance.now()) return true;
    return this.#freeFor(place.addresses, wanted).length === 0;
  }

  /** The authorities of which {@linkcode isFull} is true. */
  full(): readonly string[] {
    const oldest = performance.now() - MAX_PLACE_AGE_MS;
    const full: string[] = [];
    const wanted = this.#wanted();
    for (const [authority, { learnedAt }] of this.#places) {
      if (learnedAt < oldest) this.#places.delete(authority);
      else if (this.isFull(authority, wanted)) full.push(authority);
    }
    return full;
  }

  /** Resolves when a slot somewhere is given back, or after so long, ms. */
  async change(timeoutMs: number, signal: AbortSignal): Promise<void> {
    await this.#wait([], deadlineIn(timeoutMs, signal));
  }

  async #waitFor(
    addresses: readonly string[],
    deadline: Deadline,
  ): Promise<Result<readonly string[], RelayFailure>> {
    while (true) {
      const waited = await this.#wait(addresses, deadline);
      if (!waited.ok) return waited;
      // Taken here and not by `release`: a slot must never go to a caller that has just given up.
      const taken = this.#take(this.#freeOf(addresses));
      if (taken.length > 0) return ok(taken);
    }
  }

  /** Waits until a slot somewhere is given back. */
  #wait(
    addresses: readonly string[],
    deadline: Deadline,
  ): Promise<Result<null, RelayFailure>> {
    return runStep("slot", deadline, (settle: Settle<null>) => {
      const waiting = { addresses, wake: () => settle(ok(null)) };
      this.#waiting.add(waiting);
      return () => this.#waiting.delete(waiting);
    });
  }

  #learn(authority: string, addresses: readonly string[]): void {
    const learnedAt = performance.now();
    const heldUntil = this.#places.get(authority)?.heldUntil ?? 0;
    this.#places.delete(authority);
    this.#places.set(authority, { addresses, learnedAt, heldUntil });
    if (this.#places.size <= MAX_PLACES) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      break;
    }
  }

  /** A name that leads elsewhere each time it is looked up must not be tried again and again. */
  #hold(authority: string | undefined): void {
    const place = this.#places.get(authority ?? "");
    if (place !== undefined) place.heldUntil = performance.now() + HOLD_MS;
  }

  #freeOf(addresses: readonly string[]): string[] {
    return addresses.filter((address) =>
      (this.#taken.get(address) ?? 0) < this.perAddress
    );
  }

  /** The free ones for somebody who has just come: not those that others wait for. */
  #freeFor(
    addresses: readonly string[],
    wanted = this.#wanted(),
  ): string[] {
    return this.#freeOf(addresses).filter((address) => !wanted.has(address));
  }

  /** The addresses that somebody waits for. */
  #wanted(): ReadonlySet<string> {
    return new Set([...this.#waiting].flatMap(({ addresses }) => addresses));
  }

  #take(free: readonly string[]): readonly string[] {
    for (const address of free) {
      this.#taken.set(address, (this.#taken.get(address) ?? 0) + 1);
    }
    return free;
  }
}

/** What is known of the addresses that are full, for whoever takes work that is to be dialled. */
export interface CrowdedAddresses {
  /** Host and port of those that cannot be dialled now. */
  readonly exceptAuthorities: readonly string[];
  /** As many as could be dialled of one that is not full. */
  readonly perAuthority: number;
}

/** How long work is waited for that has no slot: a socket of our own may be closing, ms; and by whoever runs only once. */
const FREED_WITHIN_MS = 250;
const FREED_WITHIN_ONCE_MS = 60_000;

/**
 * Takes work that can be dialled now. When there is none, and addresses are full, it is asked for again as slots are given
 * back: for a moment, or for a minute by whoever does not come back.
 */
export async function takeWhereFree<T>(
  slots: AddressSlots,
  take: (crowded: CrowdedAddresses) => Promise<readonly T[]>,
  { once, signal }: { readonly once: boolean; readonly signal: AbortSignal },
): Promise<readonly T[]> {
  const patienceMs = once ? FREED_WITHIN_ONCE_MS : FREED_WITHIN_MS;
  const endsAt = performance.now() + patienceMs;
  while (true) {
    const exceptAuthorities = slots.full();
    const over = new AbortController();
    const change = slots
      .change(FREED_WITHIN_MS, AbortSignal.any([signal, over.signal]));
    const taken = await take({
      exceptAuthorities,
      perAuthority: slots.perAddress,
    });
    const isOver = taken.length > 0 || exceptAuthorities.length === 0 ||
      signal.aborted || performance.now() > endsAt;
    if (isOver) over.abort();
    await change;
    if (isOver) return taken;
  }
}

/** Host and port in a URL of normal form, as {@linkcode authorityOf} gives them. */
export function authorityIn(url: string): string {
  return url.split("/", 3)[2] ?? "";
}

/** Who waits, and for which addresses. */
interface Waiting {
  readonly addresses: readonly string[];
  readonly wake: () => void;
}

/** Where an authority was found, on the clock of `performance.now()`. */
interface Place {
  readonly addresses: readonly string[];
  readonly learnedAt: number;
  /** Until then nobody is to try it. */
  heldUntil: number;
}

/** Names move; and as many are known as a crawler meets in that time. */
const MAX_PLACE_AGE_MS = 600_000;
const MAX_PLACES = 20_000;
const HOLD_MS = 250;

/** A bound on new connections: never more than `perMinute` in any minute, a sixth of them at once. */
export function connectionRate(
  perMinute: number,
  nowMs = performance.now(),
): TokenBucket {
  const capacity = Math.max(1, perMinute / 6);
  const perSecond = Math.max(perMinute - capacity, 1) / 60;
  return new TokenBucket({ capacity, perSecond }, nowMs);
}
