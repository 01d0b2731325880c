/**
 * A command is a value: what it is called, what it takes, and what it does. One file a command, in `commands/`.
 *
 * @module
 */
import type { BrotrConfig } from "../core/config/brotr_config.ts";
import type { Database } from "../core/database/connection/database.ts";
import type { CommonConfig, Service } from "../core/lifecycle/service.ts";
import type { Notifier } from "../core/lifecycle/notify.ts";
import type { Logger } from "../core/log/logger.ts";
import type { OptionValues } from "./options/option_values.ts";
import type { Output } from "./terminal/output.ts";
import type { Screen } from "./terminal/screen.ts";

export interface Command {
  /** A word, or two: `sync`, `db init`. */
  readonly name: string;
  /** Line for the list of commands, without a full stop. */
  readonly summary: string;
  /** Help beyond the summary: what happens, what is needed, what is printed. */
  readonly description?: string;
  readonly arguments?: readonly Argument[];
  /** Options beside the common ones. */
  readonly options: readonly Option[];
  /** At least one; help teaches by them. */
  readonly examples: readonly Example[];
  /**
   * Whether it goes on until it is told to stop, so that a stop is its proper end (exit 0). Any other command that is
   * interrupted exits 130: what it was asked for is not done. Default: never.
   */
  readonly runsUntilStopped?: (invocation: Invocation) => boolean;
  /**
   * Does it and returns the exit code: 0 done, 1 failed. Returns soon after `invocation.signal` aborts.
   * Throws `UsageError` or `ConfigError` (exit 2) and whatever else went wrong (exit 1, one clear line).
   */
  run(invocation: Invocation): Promise<number>;
}

export interface Argument {
  /** As help shows it: `URL`, `FILE`. */
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Takes all that follow; only the last argument can. */
  readonly variadic?: boolean;
  readonly choices?: readonly string[];
  /** Names that a shell completes; nothing by default. */
  readonly completes?: "files" | "services";
}

export interface Option {
  /** Without dashes, in kebab-case: `allow-private`. */
  readonly name: string;
  /** A letter, without its dash. */
  readonly short?: string;
  /** Help's name for the value: `SECONDS`. Without it the option is a flag. */
  readonly value?: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given several times; `options.list(name)` has all values. */
  readonly repeatable?: boolean;
  readonly completes?: "files" | "directories";
}

export interface Example {
  /** Without the program's name: `sync wss://nos.lol --json`. */
  readonly command: string;
  /** Effect, in a few words. */
  readonly does: string;
}

/** A run of a command: what was typed, and the resources to do it. */
export interface Invocation {
  readonly arguments: readonly string[];
  readonly options: OptionValues;
  /** Aborts at the first SIGINT or SIGTERM, or when the terminal is closed. */
  readonly signal: AbortSignal;
  /** For results. Nothing else ever goes there. */
  readonly stdout: Output;
  /** For people, on stderr: live lines (progress) with the log scrolling by above them. */
  readonly screen: Screen;
  readonly log: Logger;
  /** For the service manager (systemd), if there is one. */
  readonly notifier: Notifier;
  /** Configuration files that were read so far. */
  readonly configFiles: readonly string[];
  /** `config/brotr.yaml` under the common options; throws `ConfigError`. Read once. */
  brotrConfig(): BrotrConfig;
  /**
   * The service's file (`--config`, or `<name>.yaml` in the directory that it names or in `config/services` when it is
   * there), under what the command line says, as a partial tree.
   */
  serviceConfig<C extends CommonConfig>(
    service: Service<C>,
    overrides?: Readonly<Record<string, unknown>>,
  ): C;
  /**
   * The database of `brotrConfig()`, embedded unless a server is configured; opened once, closed after the run.
   *
   * `ready` (the default) migrates the embedded one, which is ours, and demands of a server that its schema is
   * current; `made` makes an embedded one where there is none, too; `migrate` brings either up to date; `current`
   * demands of either that it is current, for commands that only look. `as-is` looks at nothing (for `db init`), and
   * neither does `as-found`. Only `made`, `migrate` and `as-is` make a data directory. Work under `current`, `as-is` and
   * `as-found` is cut off when `signal` aborts.
   *
   * All but `current` and `as-found` write, and take a server that takes no writes for one that is away. That is waited
   * for as long as it takes by those who are `patient`, as services are, and else as long as `retry` says.
   */
  openDatabase(
    options?: {
      readonly schema?:
        | "ready"
        | "made"
        | "migrate"
        | "current"
        | "as-is"
        | "as-found";
      readonly patient?: boolean;
    },
  ): Promise<Database>;
  /**
   * At a SIGHUP without a terminal the log is set up anew, and then `listener` called, which gives the keys that were
   * changed and wait for a restart; what it throws is logged. Without a listener a SIGHUP stops the run.
   */
  onReload(listener: () => readonly string[]): void;
  /** Owned until the run is over, then disposed in reverse order. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T;
}
