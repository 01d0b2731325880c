/**
 * The worker's end of the gate: what is asked before a connection goes to the host, which keeps the books for all threads.
 *
 * @module
 */
import { fail, type Result } from "../../models/result.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type {
  ConnectionLimiter,
  WaitOptions,
} from "../../transport/politeness.ts";
import { PendingRequests } from "../../base/pending_requests.ts";
import type { ToLimiter } from "../protocol/messages.ts";

export class RemoteLimiter implements ConnectionLimiter {
  readonly #post: (message: ToLimiter) => void;
  readonly #turns = new PendingRequests<number>();
  readonly #slots = new PendingRequests<
    Result<readonly string[], RelayFailure>
  >();

  constructor(post: (message: ToLimiter) => void) {
    this.#post = post;
  }

  reserve(): Promise<number> {
    return this.#turns.ask((request) => {
      this.#post({ type: "reserve-connection", request });
    });
  }

  async acquire(
    addresses: readonly string[],
    { timeoutMs, signal, authority }: WaitOptions,
  ): Promise<Result<readonly string[], RelayFailure>> {
    if (signal.aborted) return fail({ code: "aborted" });
    // Whoever leaves is answered all the same, maybe by a seat that was given just before: then he has to free it.
    const left = new AbortController();
    const taken = await this.#slots.ask((request) => {
      const leave = () => this.#post({ type: "cancel-slots", request });
      signal.addEventListener("abort", leave, { signal: left.signal });
      const wait = { addresses, timeoutMs, authority };
      this.#post({ type: "acquire-slots", request, ...wait });
    });
    left.abort();
    return taken;
  }

  release(addresses: readonly string[]): void {
    this.#post({ type: "release-slots", addresses });
  }

  turn(request: number, waitMs: number): void {
    this.#turns.answer(request, waitMs);
  }

  slots(
    request: number,
    taken: Result<readonly string[], RelayFailure>,
  ): void {
    this.#slots.answer(request, taken);
  }
}
