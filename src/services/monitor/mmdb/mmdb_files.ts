/**
 * The MMDB files of the monitor, watched for as long as it runs. One that is missing, broken or too old costs the check
 * that needs it, and nothing else.
 *
 * @module
 */
import { sleep } from "../../../base/sleep.ts";
import type { Context } from "../../../core/lifecycle/service.ts";
import { fail, type Result } from "../../../models/result.ts";
import type { Mmdb, MmdbFault } from "../../../nips/nip66/mmdb.ts";
import type { Dialer } from "../../../transport/dialer.ts";
import type { MmdbConfig } from "../checks_config.ts";
import type { CheckDeps } from "../checks/check.ts";
import { MmdbFile } from "./mmdb_file.ts";

type Files = Readonly<Record<"city" | "asn", MmdbFile | null>>;
type Watcher = Pick<Context, "log" | "metrics" | "signal" | "once">;

/** How often it is looked whether a file changed. */
const LOOK_MS = 30_000;
/** How long it takes until a file that could not be fetched is asked for again. */
const RETRY_MS = 3_600_000;

/** The files, as far as they are configured, for the checks to ask. Nothing is read before they are watched. */
export function mmdbFiles(config: MmdbConfig): Files {
  const { refreshDays, maxAgeDays, maxBytes, timeoutMs } = config;
  const file = (path: string | undefined, url: string | undefined) =>
    path === undefined ? null : new MmdbFile({
      path,
      url,
      maxAgeDays,
      maxBytes,
      timeoutMs,
      refreshSeconds: refreshDays * 86_400,
    });
  return {
    city: file(config.cityPath, config.cityUrl),
    asn: file(config.asnPath, config.asnUrl),
  };
}

/** The files as checks ask them. */
export function databasesOf({ city, asn }: Files): CheckDeps["databases"] {
  return {
    city: () => city?.database ?? none("mmdb.cityPath"),
    asn: () => asn?.database ?? none("mmdb.asnPath"),
  };
}

/**
 * Opens the files, then keeps them fresh until it is disposed of. What is fetched comes beside the first checks; only
 * when there is but one cycle (`--once`) is it waited for.
 */
export async function watchMmdbFiles(
  files: Files,
  dialer: Dialer,
  ctx: Watcher,
): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const watches = Object.entries(files).flatMap(([name, file]) =>
    file === null ? [] : [new Watch(name, file, { ...ctx, dialer, signal })]
  );
  await Promise.all(watches.map((watch) => watch.look()));
  if (ctx.once) await Promise.all(watches.map((watch) => watch.refresh()));
  const ended = Promise.all(watches.map((watch) => watch.run()));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

class Watch {
  readonly #name: string;
  readonly #file: MmdbFile;
  readonly #ctx: Watcher & { readonly dialer: Dialer };
  #retryAtMs = 0;

  constructor(
    name: string,
    file: MmdbFile,
    ctx: Watcher & { readonly dialer: Dialer },
  ) {
    this.#name = name;
    this.#file = file;
    this.#ctx = ctx;
  }

  async run(): Promise<void> {
    const { signal } = this.#ctx;
    while (!signal.aborted) {
      await this.refresh();
      await sleep(LOOK_MS, signal);
      if (!signal.aborted) await this.look();
    }
  }

  async look(): Promise<void> {
    const isNew = await this.#file.look();
    const { database } = this.#file;
    this.#setAge(database);
    if (!isNew) return;
    const file = this.#name;
    const { log } = this.#ctx;
    if (database.ok) {
      const { type, builtAt } = database.value;
      log.info("MMDB file opened", { file, type, builtAt });
    } else {
      const { detail: reason } = database.failure;
      log.warn("MMDB file unusable, its check is not made", { file, reason });
    }
  }

  async refresh(): Promise<void> {
    const { dialer, signal, log } = this.#ctx;
    if (signal.aborted || performance.now() < this.#retryAtMs) return;
    if (!await this.#file.isDue()) return;
    const fetched = await this.#file.fetch(dialer, signal);
    if (signal.aborted) return;
    if (fetched.ok) return await this.look();
    this.#retryAtMs = performance.now() + RETRY_MS;
    log.warn("MMDB file not fetched, the old one stays", {
      file: this.#name,
      reason: fetched.failure.detail,
    });
  }

  #setAge(database: Result<Mmdb, MmdbFault>): void {
    const seconds = database.ok
      ? Math.floor(Date.now() / 1_000) - database.value.builtAt
      : NaN;
    this.#ctx.metrics.gauge(
      "monitor_mmdb_age_seconds",
      "How long ago an MMDB file was built; NaN while there is none to be used, so that geo or net checks fail",
      ["file"],
    ).set({ file: this.#name }, seconds);
  }
}

function none(key: string): Result<never, MmdbFault> {
  return fail({ detail: `No file is configured (${key})` });
}
