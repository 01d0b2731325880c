/**
 * The host's end of the gate, one for each worker: asks for it, and knows which seats it holds, so that they are free
 * again when it is lost.
 *
 * @module
 */
import type { Gate } from "../transport/manners.ts";
import { pause } from "./pause.ts";
import type { ToGate, ToWorker } from "./protocol.ts";

/**
 * The sockets of a thread that was ended close a moment later, and nobody tells when. Those of one that never gives up
 * its turn stay open, as Deno cannot end it (denoland/deno#35657); its relays are not to be shut out for that.
 */
const LINGER_MS = 1_000;

export class GateKeeper {
  readonly #gate: Gate;
  readonly #post: (answer: ToWorker) => void;
  readonly #held = new Map<string, number>();
  readonly #lines = new Map<number, AbortController>();
  #isOpen = true;

  constructor(gate: Gate, post: (answer: ToWorker) => void) {
    this.#gate = gate;
    this.#post = post;
  }

  receive(message: ToGate): void {
    switch (message.type) {
      case "ask-turn":
        void this.#reserve(message.request);
        return;
      case "take-seats":
        void this.#take(message);
        return;
      case "leave-line":
        this.#lines.get(message.request)?.abort();
        return;
      case "free-seats":
        this.#free(message.addresses);
        return;
    }
  }

  /** The worker was ended: nobody stands in line for it, and its seats are free soon, or when the signal aborts. */
  async close(signal: AbortSignal): Promise<void> {
    this.#isOpen = false;
    for (const line of this.#lines.values()) line.abort();
    if (this.#held.size > 0) await pause(LINGER_MS, signal);
    const seats = [...this.#held].flatMap(([seat, count]) =>
      Array.from({ length: count }, () => seat)
    );
    this.#held.clear();
    this.#gate.free(seats);
  }

  async #reserve(request: number): Promise<void> {
    const waitMs = await this.#gate.reserve();
    this.#post({ type: "turn", request, waitMs });
  }

  async #take(
    { request, addresses, timeoutMs }: Extract<ToGate, { type: "take-seats" }>,
  ): Promise<void> {
    const line = new AbortController();
    this.#lines.set(request, line);
    const { signal } = line;
    const taken = await this.#gate.take(addresses, { timeoutMs, signal });
    this.#lines.delete(request);
    if (taken.ok && !this.#isOpen) return this.#gate.free(taken.value);
    for (const seat of taken.ok ? taken.value : []) {
      this.#held.set(seat, (this.#held.get(seat) ?? 0) + 1);
    }
    this.#post({ type: "seats", request, taken });
  }

  /** Only what it holds. */
  #free(addresses: readonly string[]): void {
    for (const seat of addresses) {
      const held = this.#held.get(seat) ?? 0;
      if (held === 0) continue;
      if (held === 1) this.#held.delete(seat);
      else this.#held.set(seat, held - 1);
      this.#gate.free([seat]);
    }
  }
}
