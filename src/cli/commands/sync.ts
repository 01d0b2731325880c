/**
 * `bigbrotr sync URL…`: archive these relays now.
 *
 * @module
 */
import { optedOutHosts } from "../../core/config/opt_out.ts";
import { databaseClock, isSkewed } from "../../archive/clock.ts";
import type { Database } from "../../core/database/connection/database.ts";
import { workInQueues } from "../../core/lifecycle/queues.ts";
import { slotsOf } from "../../models/network.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import type { SynchronizerConfig } from "../../services/synchronizer/config/config.ts";
import { CoverageTargets } from "../../services/synchronizer/coverage_targets.ts";
import { admitRelay } from "../../services/synchronizer/newcomer.ts";
import { synchronizer } from "../../services/synchronizer/mod.ts";
import {
  openPool,
  type RelayDeps,
  relayDeps,
  syncDeps,
} from "../../services/synchronizer/wiring.ts";
import { syncRelay } from "../../services/synchronizer/sync_relay.ts";
import {
  COMMITS_LOST,
  CONSEQUENCE,
  FUTURE_RETRACTED,
} from "../../services/synchronizer/reporting.ts";
import { progressLog } from "../../services/synchronizer/walk_progress.ts";
import { createDialer, type Dialer } from "../../transport/dialer.ts";
import { failureText, type RelayFailure } from "../../transport/failure.ts";
import { limiterOf, Politeness } from "../../transport/politeness.ts";
import { userAgent } from "../../transport/user_agent.ts";
import type { Command, Invocation } from "../command.ts";
import { moment } from "../terminal/moments.ts";
import { textColumns } from "../terminal/output.ts";
import { showProgress } from "../terminal/progress.ts";
import {
  configWith,
  readRelays,
  SYNC_OPTIONS,
  wantedFilters,
} from "../options/sync_options.ts";
import { RELAY_ARGUMENT } from "../options/relay_arguments.ts";
import {
  type RelayRun,
  reportJson,
  reportText,
  runLines,
  startRun,
} from "../reports/sync_report.ts";

export const syncCommand: Command = {
  name: "sync",
  summary: "Archive these relays now",
  description:
    `Walks each relay from its newest event to its oldest, or as far as --since, and stores what the archive lacks. What is
proven complete is recorded, so that a second run asks only for what is new, and one that was interrupted goes on where
it was. Relays that are new to the database are added to it when they answer; until then they are candidates.

Exits 0 when every relay could be asked, also when something could not be proven complete (that is reported); 1 when one
could not be asked at all. An interrupt (Ctrl-C) finishes what is in hand, prints the summary and exits 130.`,
  arguments: [RELAY_ARGUMENT],
  options: SYNC_OPTIONS,
  examples: [
    { command: "sync wss://nos.lol", does: "everything of one relay" },
    {
      command: "sync wss://nos.lol wss://relay.damus.io --kinds 0,3,10002",
      does: "profiles and lists of two",
    },
    {
      command:
        `sync wss://nos.lol --filter '{"kinds":[1]}' --since 2026-01-01 --json`,
      does: "notes of this year, with a summary for programs",
    },
  ],
  run: syncRelays,
};

async function syncRelays(invocation: Invocation): Promise<number> {
  const { options, stdout, log } = invocation;
  const base = invocation.serviceConfig(synchronizer);
  const relays = readRelays(invocation.arguments, options, base);
  const config = configWith(base, options, relays);
  const filters = wantedFilters(options, config);
  const database = await invocation.openDatabase({ schema: "made" });
  await compareClocks(database, log);
  const limiter = limiterOf(new Politeness(config));
  const pool = invocation.use(await openPool(config, log, limiter));
  const dialer = createDialer({
    ...config,
    userAgent: userAgent(config.contact),
    optOut: optedOutHosts(config),
    limiter,
  });
  const defaults = syncDeps(config, { database, pool });
  // Whoever asks for a relay by name wants its gaps tried again, too.
  const wanted = { ...defaults.wanted, filters, gapRetrySeconds: 0 };

  const startedAt = performance.now();
  const runs = relays.map((relay) => startRun(relay, wanted));
  {
    using _lines = showProgress(invocation.screen, () => runLines(runs));
    const own = relayDeps(config, defaults);
    const deps = (relay: RelayUrl) => ({ ...own(relay), wanted });
    const isUsual = ["filter", "kinds", "since", "until"]
      .every((name) => options.list(name).length === 0);
    await syncAll(invocation, deps, {
      database,
      dialer,
      runs,
      config,
      isUsual,
    });
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify(reportJson(runs, seconds))}\n`
      : reportText(runs, seconds, textColumns(stdout)),
  );
  return runs.some(isUnreached) ? 1 : 0;
}

/** Says at once that nothing will be proven, where the clocks differ by too much. */
async function compareClocks(
  database: Database,
  log: Invocation["log"],
): Promise<void> {
  const { now, skewSeconds } = await databaseClock(database);
  if (!isSkewed({ skewSeconds })) return;
  log.warn("clock differs from the database's", {
    database: moment(now),
    skewSeconds,
    consequence: CONSEQUENCE,
  });
}

/** As many at once as the configuration allows for their networks. */
async function syncAll(
  { signal, log }: Invocation,
  deps: RelayDeps,
  { database, dialer, runs, config, isUsual }: {
    /** Whether what the service itself would want is wanted: then it is missing as long as it is not there. */
    readonly isUsual: boolean;
    readonly database: Database;
    readonly dialer: Dialer;
    readonly runs: readonly RelayRun[];
    readonly config: SynchronizerConfig;
  },
): Promise<void> {
  const targets = new CoverageTargets(database);
  const waiting = [...runs];
  await workInQueues({
    slots: slotsOf(config.networks),
    askAgainMs: 60_000,
    take: (network) => Promise.resolve(takeOf(waiting, network)),
    work: async (run, stop) => {
      const { timeoutMs } = config.networks[run.relay.network];
      const bounds = { signal: stop, timeoutMs };
      const admitted = await admitRelay(
        { database, dialer },
        run.relay,
        bounds,
      );
      if (!admitted.ok) {
        run.unreached = admitted.failure;
        return logUnreached(log, run.relay, admitted.failure);
      }
      const relayId = admitted.value;
      if (isUsual) {
        await targets.record(relayId, deps(run.relay).wanted.filters);
      }
      const logProgress = progressLog(log, run.relay.url);
      run.result = await syncRelay(deps(run.relay), {
        relayId,
        relay: run.relay,
      }, {
        signal: stop,
        onProgress(counts) {
          run.counts = counts;
          logProgress(counts);
        },
        onFutureRetracted: (seconds) =>
          log.warn(FUTURE_RETRACTED, { relay: run.relay.url, seconds }),
        onCommitLoss: (reason) =>
          log.warn(COMMITS_LOST, { relay: run.relay.url, reason }),
      });
      logResult(log, run);
    },
  }, signal);
}

function takeOf(waiting: RelayRun[], network: RelayUrl["network"]): RelayRun[] {
  const mine = waiting.filter(({ relay }) => relay.network === network);
  for (const run of mine) waiting.splice(waiting.indexOf(run), 1);
  return mine;
}

function logResult(log: Invocation["log"], { relay, result }: RelayRun): void {
  if (result === null) return;
  const { stored, known, complete, seconds, failure } = result;
  const fields = { relay: relay.url, stored, known, complete, seconds };
  if (failure === null) log.info("relay synced", fields);
  else {log.warn("relay not synced", {
      ...fields,
      failure: failureText(failure),
    });}
}

function logUnreached(
  log: Invocation["log"],
  { url }: RelayUrl,
  failure: RelayFailure,
): void {
  log.warn("relay not reached", { relay: url, failure: failureText(failure) });
}

/** Nothing could be asked, and not because we were told to stop. */
function isUnreached({ result, unreached }: RelayRun): boolean {
  if (unreached !== null) return unreached.code !== "aborted";
  return result !== null && result.failure !== null &&
    result.failure.code !== "aborted" && result.requests === 0;
}
