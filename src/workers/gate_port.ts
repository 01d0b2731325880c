/**
 * The worker's end of the gate: what is asked before a connection goes to the host, which keeps the books for all threads.
 *
 * @module
 */
import { fail, type Result } from "../models/result.ts";
import type { RelayFailure } from "../transport/failure.ts";
import type { Gate, Patience } from "../transport/manners.ts";
import { OpenQuestions } from "./open_questions.ts";
import type { ToGate } from "./protocol.ts";

export class GatePort implements Gate {
  readonly #post: (message: ToGate) => void;
  readonly #turns = new OpenQuestions<number>();
  readonly #seats = new OpenQuestions<
    Result<readonly string[], RelayFailure>
  >();

  constructor(post: (message: ToGate) => void) {
    this.#post = post;
  }

  reserve(): Promise<number> {
    return this.#turns.ask((request) => {
      this.#post({ type: "ask-turn", request });
    });
  }

  async take(
    addresses: readonly string[],
    { timeoutMs, signal }: Patience,
  ): Promise<Result<readonly string[], RelayFailure>> {
    if (signal.aborted) return fail({ code: "aborted" });
    // Whoever leaves is answered all the same, maybe by a seat that was given just before: then he has to free it.
    const left = new AbortController();
    const taken = await this.#seats.ask((request) => {
      const leave = () => this.#post({ type: "leave-line", request });
      signal.addEventListener("abort", leave, { signal: left.signal });
      this.#post({ type: "take-seats", request, addresses, timeoutMs });
    });
    left.abort();
    return taken;
  }

  free(addresses: readonly string[]): void {
    this.#post({ type: "free-seats", addresses });
  }

  turn(request: number, waitMs: number): void {
    this.#turns.answer(request, waitMs);
  }

  seats(
    request: number,
    taken: Result<readonly string[], RelayFailure>,
  ): void {
    this.#seats.answer(request, taken);
  }
}
