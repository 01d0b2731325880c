/**
 * Refresher: keeps statistics equal to the archive, by what each batch changed.
 *
 * Every writer leaves facts in a queue; they are folded into cells and taken from it in one transaction. When none wait,
 * what was dropped of the queue is made again from the tables, step by step.
 *
 * @module
 */
import {
  isUnmade,
  refreshStatistics,
  statisticsStatus,
} from "../../archive/statistics/refresh.ts";
import type { DerivedOptions } from "../../archive/derived/derived_options.ts";
import { sleep } from "../../base/sleep.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import type { NostrEvent } from "../../models/event.ts";
import { readZap } from "../../nips/nip57.ts";
import { loadVerifier, type Verifier } from "../../nips/verify/verifier.ts";
import { type RefresherConfig, refresherConfig } from "./config.ts";
import { RefresherLease, SERVICE } from "./lease.ts";
import { startReport } from "./report.ts";

export const refresher: Service<RefresherConfig> = {
  name: SERVICE,
  summary: "Keeps statistics up to date",
  config: refresherConfig,
  role: "refresher",
  async run(ctx) {
    using verifier = await loadVerifier();
    const derived = derivedOptions(ctx.config, verifier);
    await using lease = new RefresherLease(ctx);
    await repeat(ctx, (cycle) => refresh(cycle, { lease, derived }));
  },
};

/** What is derived; zaps count when receipt, invoice and request agree. */
export function derivedOptions(
  { derived }: Pick<RefresherConfig, "derived">,
  verifier: Verifier,
): DerivedOptions {
  const verify = (event: NostrEvent) => verifier.verify(event);
  return {
    ...derived,
    readZap: (tags) => {
      const zap = readZap(tags, verify);
      return zap.ok ? zap.value : null;
    },
  };
}

/** Until nothing waits and nothing is to be made again; what comes meanwhile is taken along. */
async function refresh(
  ctx: Context<RefresherConfig>,
  { lease, derived }: {
    readonly lease: RefresherLease;
    readonly derived: DerivedOptions;
  },
): Promise<void> {
  const { config, database, signal, once } = ctx;
  const report = startReport(ctx);
  const startedAtMs = performance.now();
  while (!signal.aborted) {
    if (!await lease.take()) {
      if (!once || await isRefreshed(ctx, startedAtMs)) return;
      await sleep(LOOK_AGAIN_MS, signal);
      continue;
    }
    const beganAtMs = performance.now();
    const refreshed = await refreshStatistics(database, {
      limit: config.maxFactsPerTransaction,
      signal,
      derived,
    });
    const busyMs = performance.now() - beganAtMs;
    lease.worked(busyMs);
    await report.add(refreshed, busyMs);
    const pauseMs = busyMs * (1 / config.maxBusyShare - 1);
    if (refreshed.isIdle) break;
    await sleep(pauseMs, signal);
  }
  report.end();
}

/** Between two looks at what another process does, for one that is to return when it is done. */
const LOOK_AGAIN_MS = 1_000;

/** Whether what waited when this cycle began is folded, and nothing is to be made again. */
async function isRefreshed(
  { database }: Context<RefresherConfig>,
  startedAtMs: number,
): Promise<boolean> {
  const status = await statisticsStatus(database);
  const { oldestSeconds } = status;
  if (isUnmade(status)) return false;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  // Seconds of the database are whole ones.
  return oldestSeconds === null || oldestSeconds + 1 < seconds;
}
