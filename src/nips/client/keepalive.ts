/**
 * Signs of life of a relay, in order with what it sends: when one counts, everything sent before it has been handed on.
 *
 * @module
 */
import type { RelaySocket } from "../../transport/websocket/relay_socket.ts";
import { IdleTimeout } from "./idle_timeout.ts";
import type { AskOptions, PingAnswer } from "./relay_client.ts";

/** What asking for signs of life needs of its connection. */
export interface LifeLine {
  readonly socket: Pick<RelaySocket, "ping">;
  /** Messages handed on so far. */
  readonly handedOn: () => number;
  readonly isStalled: () => boolean;
}

export class Keepalive {
  readonly #line: LifeLine;
  readonly #behind = new Map<() => void, number>();
  #isOver = false;

  constructor(line: LifeLine) {
    this.#line = line;
  }

  /** Asks for one. Time in which we ourselves do not read is not counted. */
  async ask({ signal, timeoutMs }: AskOptions): Promise<PingAnswer> {
    if (signal.aborted) return "over";
    const { promise: inVain, resolve: giveUp } = Promise
      .withResolvers<"silent" | null>();
    const idleTimeout = new IdleTimeout({
      idleTimeoutMs: timeoutMs,
      totalTimeoutMs: Infinity,
      isWithholding: this.#line.isStalled,
      lost: () => giveUp("silent"),
    });
    const stop = () => giveUp(null);
    signal.addEventListener("abort", stop, { once: true });
    const before = await Promise.race([this.#line.socket.ping(), inVain]);
    signal.removeEventListener("abort", stop);
    idleTimeout.stop();
    if (before === "silent") return before;
    if (before === null) return "over";
    await this.#handedOn(before);
    return this.#isOver ? "over" : "alive";
  }

  /** More messages have been handed on. */
  advance(): void {
    for (const [resolve, before] of this.#behind) {
      if (before > this.#line.handedOn()) continue;
      this.#behind.delete(resolve);
      resolve();
    }
  }

  /** Nothing more will be handed on. */
  end(): void {
    this.#isOver = true;
    for (const resolve of this.#behind.keys()) resolve();
    this.#behind.clear();
  }

  #handedOn(messages: number): Promise<void> {
    if (this.#isOver || this.#line.handedOn() >= messages) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#behind.set(resolve, messages));
  }
}
