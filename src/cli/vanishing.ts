/**
 * Forgetting those who asked to vanish (NIP-62), where the configuration says so: beside the services, once a minute.
 *
 * @module
 */
import { forgetVanished } from "../archive/visibility/forget.ts";
import { sleep } from "../base/sleep.ts";
import type { BrotrConfig } from "../core/config/brotr_config.ts";
import type { Database } from "../core/database/connection/database.ts";
import type { Logger } from "../core/log/logger.ts";

const INTERVAL_MS = 60_000;

/** Begins at once; disposal ends it. Nothing is done unless `serving.vanish` is `forget`. */
export function keepForgetting(
  { database, log, config: { serving } }: {
    readonly database: Database;
    readonly log: Logger;
    readonly config: Pick<BrotrConfig, "serving">;
  },
): AsyncDisposable {
  const end = new AbortController();
  const running = serving.vanish === "forget"
    ? repeatForgetting(database, {
      log,
      ownUrl: serving.url,
      signal: end.signal,
    })
    : Promise.resolve();
  return {
    [Symbol.asyncDispose]() {
      end.abort();
      return running;
    },
  };
}

async function repeatForgetting(
  database: Database,
  { log, ownUrl, signal }: {
    readonly log: Logger;
    readonly ownUrl: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { authors, events, sightings } = await forgetVanished(
        database,
        ownUrl ?? null,
        signal,
      );
      if (authors + events > 0) {
        log.info("authors vanished", { authors, events, sightings });
      }
    } catch (error) {
      if (!signal.aborted) log.warn("authors not vanished yet", { error });
    }
    await sleep(INTERVAL_MS, signal);
  }
}
