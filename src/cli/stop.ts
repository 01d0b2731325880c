/**
 * The root signal: how the process is asked to stop, and what happens when it does not.
 *
 * @module
 */
import type { Logger } from "../core/log/logger.ts";

/** The exit code of what was interrupted before its end, by convention 128 + SIGINT. */
export const INTERRUPTED = 130;

export interface RootSignal extends Disposable {
  readonly signal: AbortSignal;
  /** Whether it was a SIGINT or SIGTERM that aborted the signal, and no reason of our own. */
  readonly wasInterrupted: boolean;
  /** Sets where the stop is logged, and how long stopping may take. */
  attend(
    options: { readonly log: Logger; readonly graceSeconds: number },
  ): void;
  /**
   * Calls `listener` at a SIGHUP, where there is no terminal: then it is not one that was closed. Without a listener, or
   * with a terminal, a SIGHUP stops as SIGTERM does.
   */
  onReload(listener: () => void): void;
  /** Stops for a reason of our own, with the same last resort. */
  abort(reason: Error): void;
}

/**
 * The first SIGINT, SIGTERM or SIGHUP aborts the signal, the second exits 130 at once. Should the work not end within
 * the grace period (20 s by default), the process exits 1 as a last resort.
 */
export function rootSignal(): RootSignal {
  return new ProcessSignal();
}

class ProcessSignal implements RootSignal {
  readonly #controller = new AbortController();
  readonly #handlers = new Map<Deno.Signal, () => void>();
  readonly #hasTerminal = [Deno.stdin, Deno.stdout, Deno.stderr]
    .some((stream) => stream.isTerminal());
  #log: Logger | null = null;
  #graceSeconds = 20;
  #wasInterrupted = false;
  #reload: (() => void) | null = null;

  constructor() {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      const handler = () => this.#received(name);
      this.#handlers.set(name, handler);
      Deno.addSignalListener(name, handler);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get wasInterrupted(): boolean {
    return this.#wasInterrupted;
  }

  attend(options: Parameters<RootSignal["attend"]>[0]): void {
    this.#log = options.log;
    this.#graceSeconds = options.graceSeconds;
  }

  onReload(listener: () => void): void {
    this.#reload = listener;
  }

  abort(reason: Error): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    const timer = setTimeout(() => {
      this.#log?.error("stopping took too long, exiting without it", {
        graceSeconds: this.#graceSeconds,
      });
      Deno.exit(1);
    }, this.#graceSeconds * 1_000);
    Deno.unrefTimer(timer);
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) {
      Deno.removeSignalListener(name, handler);
    }
  }

  #received(name: Deno.Signal): void {
    if (name === "SIGHUP") {
      if (this.#reload !== null && !this.#hasTerminal) return this.#reload();
      // A closed terminal says so to each process of a group, and that more than once: it is no second interrupt.
      if (this.signal.aborted) return;
    }
    if (this.signal.aborted) Deno.exit(INTERRUPTED);
    this.#wasInterrupted = true;
    this.#log?.info("stopping", { signal: name });
    this.abort(new DOMException(`stopped by ${name}`, "AbortError"));
  }
}
