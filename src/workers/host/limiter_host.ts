/**
 * The host's end of the gate, one for each worker: asks for it, and knows which seats it holds, so that they are free
 * again when it is lost.
 *
 * @module
 */
import type { ConnectionLimiter } from "../../transport/politeness.ts";
import { sleep } from "../../base/sleep.ts";
import type { ToLimiter, ToWorker } from "../protocol/messages.ts";

/**
 * The sockets of a thread that was ended close a moment later, and nobody tells when. Those of one that never gives up
 * its turn stay open, as Deno cannot end it (denoland/deno#35657); its relays are not to be shut out for that.
 */
const LINGER_MS = 1_000;

export class LimiterHost {
  readonly #limiter: ConnectionLimiter;
  readonly #post: (answer: ToWorker) => void;
  readonly #held = new Map<string, number>();
  readonly #lines = new Map<number, AbortController>();
  #isOpen = true;

  constructor(limiter: ConnectionLimiter, post: (answer: ToWorker) => void) {
    this.#limiter = limiter;
    this.#post = post;
  }

  receive(message: ToLimiter): void {
    switch (message.type) {
      case "reserve-connection":
        void this.#reserve(message.request);
        return;
      case "acquire-slots":
        void this.#take(message);
        return;
      case "cancel-slots":
        this.#lines.get(message.request)?.abort();
        return;
      case "release-slots":
        this.#free(message.addresses);
        return;
    }
  }

  /** The worker was ended: nobody stands in line for it, and its seats are free soon, or when the signal aborts. */
  async close(signal: AbortSignal): Promise<void> {
    this.#isOpen = false;
    for (const line of this.#lines.values()) line.abort();
    if (this.#held.size > 0) await sleep(LINGER_MS, signal);
    const slots = [...this.#held].flatMap(([slot, count]) =>
      Array.from({ length: count }, () => slot)
    );
    this.#held.clear();
    this.#limiter.release(slots);
  }

  async #reserve(request: number): Promise<void> {
    const waitMs = await this.#limiter.reserve();
    this.#post({ type: "connection-reserved", request, waitMs });
  }

  async #take(
    { request, addresses, timeoutMs, authority }: Extract<
      ToLimiter,
      { type: "acquire-slots" }
    >,
  ): Promise<void> {
    const line = new AbortController();
    this.#lines.set(request, line);
    const { signal } = line;
    const taken = await this.#limiter.acquire(addresses, {
      timeoutMs,
      signal,
      ...(authority !== undefined && { authority }),
    });
    this.#lines.delete(request);
    if (taken.ok && !this.#isOpen) return this.#limiter.release(taken.value);
    for (const slot of taken.ok ? taken.value : []) {
      this.#held.set(slot, (this.#held.get(slot) ?? 0) + 1);
    }
    this.#post({ type: "slots", request, taken });
  }

  /** Only what it holds. */
  #free(addresses: readonly string[]): void {
    for (const slot of addresses) {
      const held = this.#held.get(slot) ?? 0;
      if (held === 0) continue;
      if (held === 1) this.#held.delete(slot);
      else this.#held.set(slot, held - 1);
      this.#limiter.release([slot]);
    }
  }
}
