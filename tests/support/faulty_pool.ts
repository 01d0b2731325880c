/**
 * Threads, two if not said otherwise, that may be lost: of the real worker with a fault built in.
 *
 * @module
 */
import { synchronizerConfig } from "../../src/services/synchronizer/config/config.ts";
import { limiterOf, Politeness } from "../../src/transport/politeness.ts";
import {
  openSyncPool,
  type SyncPool,
} from "../../src/workers/host/worker_pool.ts";

/** Opens them; `losses` is told why one was lost. */
export function faultyPool(
  losses: string[],
  entry = new URL("./faulty_worker.ts", import.meta.url),
  workers = 2,
): Promise<SyncPool> {
  const { networks } = synchronizerConfig.parse({});
  return openSyncPool({
    workers,
    maxBatches: 4,
    limiter: limiterOf(new Politeness({ maxNewConnectionsPerMinute: 6_000 })),
    hangTimeoutMs: 1_000,
    verifier: {},
    entry,
    worker: {
      networks,
      allowPrivate: true,
      allowInsecureTls: false,
      userAgent: "test",
      authKey: null,
      optOut: [],
    },
    onLost: (detail) => losses.push(detail),
  });
}
