/**
 * Signs of life of a relay, in order with what it sends: when one counts, everything sent before it has been handed on.
 *
 * @module
 */
import type { RelaySocket } from "../transport/relay_socket.ts";
import { Patience } from "./patience.ts";
import type { AskOptions } from "./relay_client.ts";

/** What asking for signs of life needs of its connection. */
export interface LifeLine {
  readonly socket: Pick<RelaySocket, "ping">;
  /** Messages handed on so far. */
  readonly handedOn: () => number;
  readonly isStalled: () => boolean;
}

export class SignsOfLife {
  readonly #line: LifeLine;
  readonly #behind = new Map<() => void, number>();
  #isOver = false;

  constructor(line: LifeLine) {
    this.#line = line;
  }

  /** Asks for one. False when none came in time; time in which we ourselves do not read is not counted. */
  async ask({ signal, timeoutMs }: AskOptions): Promise<boolean> {
    if (signal.aborted) return false;
    const { promise: inVain, resolve: giveUp } = Promise.withResolvers<null>();
    const patience = new Patience({
      idleTimeoutMs: timeoutMs,
      totalTimeoutMs: Infinity,
      isDeaf: this.#line.isStalled,
      lost: () => giveUp(null),
    });
    const stop = () => giveUp(null);
    signal.addEventListener("abort", stop, { once: true });
    const before = await Promise.race([this.#line.socket.ping(), inVain]);
    signal.removeEventListener("abort", stop);
    patience.stop();
    if (before === null) return false;
    await this.#handedOn(before);
    return true;
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
