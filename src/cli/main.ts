/**
 * The command line, from words to exit code.
 *
 * @module
 */
import { isConfigError } from "../core/config/config_error.ts";
import { errorText } from "../base/error_text.ts";
import { withoutSecrets } from "../core/log/secret_text.ts";
import { isGone } from "../core/log/sink.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";
import { COMMANDS } from "./commands.ts";
import {
  type Output,
  standardError,
  standardOutput,
} from "./terminal/output.ts";
import { parseCommandLine } from "./program.ts";
import { Run } from "./run.ts";
import { INTERRUPTED, rootSignal } from "./stop.ts";

/** The exit code of a command line or a configuration that cannot be followed. */
const BAD_USAGE = 2;

/**
 * Runs what `args` say and gives the exit code: 0 done, 1 failed, 2 bad usage or configuration, 130 interrupted before
 * it was done. Never throws.
 */
export async function main(args: readonly string[]): Promise<number> {
  const stdout = standardOutput();
  const stderr = standardError();
  try {
    const line = await parseCommandLine(args, {
      commands: COMMANDS,
      writeOut: stdout.write,
      writeErr: stderr.write,
      columns: stdout.columns(),
    });
    if (line.command === null) return line.exitCode;
    return await runCommand(line.command, line, stderr);
  } catch (error) {
    // The reader of the help, or of the last words, went away: no output can reach it.
    if (isGone(error)) return 0;
    throw error;
  }
}

async function runCommand(
  command: Command,
  line: Pick<Run, "arguments" | "options">,
  stderr: Output,
): Promise<number> {
  using stop = rootSignal();
  const run = new Run({ ...line, name: command.name, stop });
  using strays = catchStrays((error) => {
    report(error, run, stderr);
    stop.abort(new Error("stopping after an unexpected error"));
  });
  let isEndless = false;
  const done = await settled(
    () => {
      // Asked before the work begins: its configuration may be another one at the end.
      isEndless = command.runsUntilStopped?.(run) ?? false;
      return command.run(run);
    },
    run,
    stderr,
  );
  // Looked at before the resources are closed: what comes later interrupts nothing.
  const interrupted = stop.wasInterrupted && done !== BAD_USAGE &&
    !isEndless;
  const close = () => run[Symbol.asyncDispose]().then(() => 0);
  const closed = await settled(close, run, stderr);
  const code = Math.max(done, closed, strays.count > 0 ? 1 : 0);
  if (!interrupted) return code;
  stderr.write(`bigbrotr: interrupted before "${command.name}" was done\n`);
  return Math.max(code, INTERRUPTED);
}

/** An error that nobody caught would end the process in the middle of a batch; so it stops it in order. */
function catchStrays(
  caught: (error: unknown) => void,
): Disposable & { readonly count: number } {
  let count = 0;
  const handle = (event: Event, error: unknown) => {
    event.preventDefault();
    count++;
    caught(error);
  };
  const rejected = (event: PromiseRejectionEvent) =>
    handle(event, event.reason);
  const thrown = (event: ErrorEvent) => handle(event, event.error);
  addEventListener("unhandledrejection", rejected);
  addEventListener("error", thrown);
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => {
      removeEventListener("unhandledrejection", rejected);
      removeEventListener("error", thrown);
    },
  };
}

/** The exit code of `work`; what it throws is explained. */
async function settled(
  work: () => Promise<number>,
  run: Run,
  stderr: Output,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (isGone(error)) return 0;
    // Asked to stop: what was in hand is not done, and nothing failed.
    if (run.signal.aborted && isAbort(error, run.signal)) return 0;
    report(error, run, stderr);
    return error instanceof UsageError || isConfigError(error) ? BAD_USAGE : 1;
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason ||
    (error instanceof DOMException && error.name === "AbortError");
}

/** Prints a clear line, with the stack at level debug only; the log gets it as well when that is elsewhere. */
function report(error: unknown, run: Run, stderr: Output): void {
  const log = run.openedLog;
  const settings = log === null ? null : run.brotrConfig().log;
  const stack = error instanceof Error && settings?.level === "debug"
    ? error.stack
    : undefined;
  if (settings?.file !== undefined || settings?.format === "json") {
    log?.error("command failed", { error, stack });
    if (settings.file === undefined) return;
  }
  run.screen.show([]);
  stderr.write(`bigbrotr: ${withoutSecrets(errorText(error))}\n`);
  if (stack !== undefined) stderr.write(`${withoutSecrets(stack)}\n`);
}
