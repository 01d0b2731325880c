/**
 * Resources of one run of a command: configuration, log, database, each made when first asked for, closed at the end.
 *
 * @module
 */
import { type BrotrConfig, brotrConfig } from "../core/config/brotr_config.ts";
import { changedSettings } from "../core/config/changed_settings.ts";
import { loadConfig } from "../core/config/load.ts";
import type { Database } from "../core/database/connection/database.ts";
import type { CommonConfig, Service } from "../core/lifecycle/service.ts";
import { createNotifier, type Notifier } from "../core/lifecycle/notify.ts";
import {
  createLogger,
  type Logger,
  type RootLogger,
} from "../core/log/logger.ts";
import type { Invocation } from "./command.ts";
import { brotrOverrides, showsPassword } from "./options/common_options.ts";
import { brotrFile, serviceFile } from "./options/config_files.ts";
import { openReadyDatabase, type SchemaDemand } from "./open_database.ts";
import type { OptionValues } from "./options/option_values.ts";
import {
  type Output,
  standardError,
  standardOutput,
} from "./terminal/output.ts";
import { openScreen, type Screen } from "./terminal/screen.ts";
import type { RootSignal } from "./stop.ts";

export interface RunOptions {
  /** Name of the command, which is the log's `service`. */
  readonly name: string;
  readonly arguments: readonly string[];
  readonly options: OptionValues;
  readonly stop: RootSignal;
}

/** Resources of one run. Disposing closes what was opened, the last first: the database outlives its users. */
export class Run implements Invocation, AsyncDisposable {
  readonly arguments: readonly string[];
  readonly options: OptionValues;
  readonly signal: AbortSignal;
  readonly stdout: Output = standardOutput();
  readonly screen: Screen = openScreen(standardError());
  readonly #name: string;
  readonly #stop: RootSignal;
  readonly #stack = new AsyncDisposableStack();
  readonly #files = new Set<string>();
  #config: BrotrConfig | null = null;
  #log: RootLogger | null = null;
  #notifier: Notifier | null = null;
  #database: Promise<Database> | null = null;

  constructor({ name, arguments: words, options, stop }: RunOptions) {
    this.#name = name;
    this.arguments = words;
    this.options = options;
    this.signal = stop.signal;
    this.#stop = stop;
    this.#stack.use(this.screen);
  }

  /** The log when it was opened, for the report of the end. */
  get openedLog(): Logger | null {
    return this.#log;
  }

  get log(): Logger {
    return this.#log ??= this.#openLog();
  }

  get notifier(): Notifier {
    return this.#notifier ??= this.use(createNotifier({ log: this.log }));
  }

  get configFiles(): readonly string[] {
    return [...this.#files];
  }

  brotrConfig(): BrotrConfig {
    return this.#config ??= this.#loadBrotrConfig();
  }

  serviceConfig<C extends CommonConfig>(
    service: Service<C>,
    overrides: Readonly<Record<string, unknown>> = {},
  ): C {
    const file = this.#named(serviceFile(this.options, service.name));
    return loadConfig(file, service.config, { overrides });
  }

  openDatabase(
    { schema = "ready", patient = false }: {
      readonly schema?: SchemaDemand;
      readonly patient?: boolean;
    } = {},
  ): Promise<Database> {
    return this.#database ??= this.#openDatabase(schema, patient);
  }

  onReload(listener: () => readonly string[]): void {
    this.#stop.onReload(() => this.#reload(listener));
  }

  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  #named(file: string | undefined): string | undefined {
    if (file !== undefined) this.#files.add(file);
    return file;
  }

  #loadBrotrConfig(): BrotrConfig {
    const file = this.#named(brotrFile(this.options));
    const overrides = brotrOverrides(this.options);
    return loadConfig(file, brotrConfig, { overrides });
  }

  /** The log first: what is wrong with the rest is told there. */
  #reload(listener: () => readonly string[]): void {
    try {
      const config = this.#loadBrotrConfig();
      const { log } = config;
      this.#log?.replace(this.#logOptions(log));
      const waiting = [
        ...changedSettings(this.brotrConfig(), config)
          .filter((key) => !key.startsWith("log."))
          .map((key) => `brotr.${key}`),
        ...listener(),
      ];
      this.log.info("configuration read again", { level: log.level });
      if (waiting.length > 0) {
        this.log.warn("some of what was changed needs a restart", {
          keys: waiting,
        });
      }
    } catch (error) {
      this.log.error("configuration not read again, what was read last holds", {
        error,
      });
    }
  }

  #logOptions(settings: BrotrConfig["log"]) {
    return settings.file === undefined
      ? { ...settings, sink: this.screen }
      : settings;
  }

  #openLog(): RootLogger {
    const { log: settings, shutdownGraceSeconds } = this.brotrConfig();
    const log = this.use(createLogger({
      ...this.#logOptions(settings),
      service: this.#name,
    }));
    this.#stop.attend({ log, graceSeconds: shutdownGraceSeconds });
    return log;
  }

  async #openDatabase(
    schema: SchemaDemand,
    isPatient: boolean,
  ): Promise<Database> {
    const { notifier } = this;
    if (showsPassword(Deno.args)) {
      this.log.warn(
        "the password in --database is shown by ps to everybody on this machine",
        { todo: "PGPASSWORD, .pgpass, passwordFile" },
      );
    }
    // A server recovers after a crash for as long as it takes, and a migration goes over every row there is.
    using _starting = notifier.starting("starting: opening the database");
    return this.use(
      await openReadyDatabase(this.brotrConfig(), {
        schema,
        isPatient,
        log: this.log,
        signal: this.signal,
        service: this.#name,
        onStep: (step) => notifier.status(`starting: ${step}`),
      }),
    );
  }
}
