/**
 * Deadlines: whatever waits for a peer ends by an answer, by the clock, or by the signal, and cleans up in each case.
 *
 * @module
 */
import { fail, type Result } from "../models/result.ts";
import type { RelayFailure } from "./failure.ts";

/** A moment by which a sequence of steps must be done. */
export interface Deadline {
  /** On the clock of `performance.now()`. */
  readonly endsAt: number;
  /** The whole of it, ms; for messages. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The outcome of a step. */
export type Settle<T> = (result: Result<T, RelayFailure>) => void;

/** Undoes what a step began; told whether it succeeded, in which case the thing made is kept. */
export type Cleanup = (succeeded: boolean) => void;

/** A deadline `timeoutMs` from now. */
export function deadlineIn(timeoutMs: number, signal: AbortSignal): Deadline {
  return { endsAt: performance.now() + timeoutMs, timeoutMs, signal };
}

/**
 * Runs one named step: `begin` starts it and calls `settle` when it knows; the cleanup it returns runs exactly once.
 * The first of answer, deadline and abort wins; later calls of `settle` are ignored.
 */
export async function runStep<T>(
  name: string,
  { endsAt, timeoutMs, signal }: Deadline,
  begin: (settle: Settle<T>) => Cleanup,
): Promise<Result<T, RelayFailure>> {
  if (signal.aborted) return fail({ code: "aborted" });
  const { promise, resolve } = Promise.withResolvers<Result<T, RelayFailure>>();
  const abort = () => resolve(fail({ code: "aborted" }));
  signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => {
    const detail = `${name}: not done within ${timeoutMs} ms`;
    resolve(fail({ code: "timeout", detail }));
  }, Math.max(0, endsAt - performance.now()));

  const cleanup = begin(resolve);
  const outcome = await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", abort);
  cleanup(outcome.ok);
  return outcome;
}
