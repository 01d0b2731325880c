/**
 * Questions that get one answer each (EVENT and AUTH their OK, COUNT its number), by the id they are known under.
 *
 * @module
 */
import { fail, type Result } from "../../models/result.ts";
import { deadlineIn, runStep, type Settle } from "../../transport/deadline.ts";
import type { RelayFailure } from "../../transport/failure.ts";
import type { AskOptions } from "./relay_client.ts";

export class PendingReplies<T> {
  readonly #waiting = new Map<string, Settle<T>>();

  get size(): number {
    return this.#waiting.size;
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Asks by calling `send` (false: the connection is gone), and waits for `answer` with the same id. */
  ask(
    id: string,
    name: string,
    { signal, timeoutMs, send }: AskOptions & { send: () => boolean },
  ): Promise<Result<T, RelayFailure>> {
    const deadline = deadlineIn(timeoutMs, signal);
    return runStep<T>(name, deadline, (settle) => {
      this.#waiting.set(id, settle);
      if (!send()) settle(fail(GONE));
      return () => this.#waiting.delete(id);
    });
  }

  /** False when nobody waits for it. */
  answer(id: string, answer: Result<T, RelayFailure>): boolean {
    const settle = this.#waiting.get(id);
    settle?.(answer);
    return settle !== undefined;
  }

  /** Answers all of them at once: the connection ended, or a NOTICE refused the only one. */
  answerAll(answer: Result<T, RelayFailure>): void {
    for (const settle of this.#waiting.values()) settle(answer);
  }
}

const GONE: RelayFailure = {
  code: "closed",
  status: 1006,
  detail: "the connection had ended",
};
