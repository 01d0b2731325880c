/**
 * Monitor: looks at each relay again and again, keeps what it saw, and publishes it.
 *
 * @module
 */
import { OPT_OUT_KEYS, optedOutHosts } from "../../core/config/opt_out.ts";
import { liveOptOut } from "../../core/lifecycle/reload.ts";
import { visitAgain } from "../../archive/leases.ts";
import { watchClock } from "../../archive/clock_watch.ts";
import { releaseRelays } from "../../archive/leases.ts";
import { resolveSecretKey } from "../../core/config/secret_key.ts";
import { newHolder } from "../../core/lifecycle/holder.ts";
import { workInQueues } from "../../core/lifecycle/queues.ts";
import { repeat } from "../../core/lifecycle/repeat.ts";
import type { Context, Service } from "../../core/lifecycle/service.ts";
import { slotsOf } from "../../models/network.ts";
import { createDialer } from "../../transport/dialer.ts";
import {
  parseDnsServer,
  systemDnsServers,
} from "../../transport/dns_client.ts";
import { limiterOf, Politeness } from "../../transport/politeness.ts";
import { userAgent } from "../../transport/user_agent.ts";
import { type MonitorConfig, monitorConfig } from "./config.ts";
import { setRelayGauges } from "./gauges.ts";
import { whilePublishing } from "./publish/publication.ts";
import { openPublisher } from "./publish/publisher.ts";
import { databasesOf, mmdbFiles, watchMmdbFiles } from "./mmdb/mmdb_files.ts";
import { expireDaily } from "./retention.ts";
import {
  lease,
  type MonitorDeps,
  startCycle,
  untouched,
  visit,
} from "./cycle.ts";

export const monitor: Service<MonitorConfig> = {
  name: "monitor",
  summary: "Checks relays, keeps the history of their health and publishes it",
  config: monitorConfig,
  reloaded: OPT_OUT_KEYS,
  readNamed(config) {
    optedOutHosts(config);
    monitorKey(config);
  },
  run: async (ctx) => {
    const files = mmdbFiles(ctx.config.mmdb);
    const deps = openDeps(ctx, databasesOf(files));
    const { dialer, slots, publisher } = deps;
    await using _watched = await watchMmdbFiles(files, dialer, ctx);
    await using _clock = await watchClock({ ...ctx, consequence: CONSEQUENCE });
    const sender = publisher === null ? null : { dialer, slots, publisher };
    await whilePublishing(ctx, sender, (ctx) =>
      repeat(ctx, async (cycle) => {
        await expireDaily(cycle);
        await checkDueRelays(cycle, deps);
        await setRelayGauges(cycle);
      }));
  },
};

/** The consequence of a clock that is wrong. */
const CONSEQUENCE =
  "checks go on by the database's clock; certificates and signatures are judged and made by this one";

/** Works until no relay is due; what becomes due meanwhile is taken along. */
export async function checkDueRelays(
  ctx: Context<MonitorConfig>,
  deps: MonitorDeps,
): Promise<void> {
  const { config, database, log, signal } = ctx;
  const cycle = startCycle(ctx, deps);
  const left = await workInQueues({
    slots: slotsOf(config.networks),
    askAgainMs: config.intervalSeconds * 1_000,
    take: (network, count) => lease(cycle, network, count),
    work: (leased, stop) => visit(cycle, leased, stop),
  }, signal);
  await releaseRelays(database, {
    service: "monitor",
    holder: deps.holder,
    relays: left.map(({ leased }) => untouched(leased)),
  });
  const { online, offline } = cycle.tally;
  if (online + offline > 0) log.info("relays checked", { online, offline });
}

function openDeps(
  ctx: Context<MonitorConfig>,
  databases: MonitorDeps["databases"],
): MonitorDeps {
  const { config, log, politeness } = ctx;
  const given = config.checks.dns.servers.map(parseDnsServer)
    .filter((server) => server !== null);
  const holder = newHolder();
  const secretKey = monitorKey(config);
  const { enabled, relays } = config.publish;
  if (secretKey === null && enabled && relays.length > 0) {
    log.warn("nothing is published, there is no key");
  }
  const own = new Politeness(config);
  const shared = Politeness.of(politeness);
  return {
    dialer: createDialer({
      ...config,
      userAgent: userAgent(config.contact),
      optOut: liveOptOut(
        ctx,
        (hosts) => void visitAgain(ctx, "monitor", hosts),
      ),
      limiter: limiterOf(own, shared),
    }),
    slots: (shared ?? own).slots,
    secretKey,
    dnsServers: given.length > 0 ? given : systemDnsServers(),
    databases,
    holder,
    publisher: openPublisher(config, secretKey, holder),
  };
}

function monitorKey({ keys }: MonitorConfig): Uint8Array | null {
  return resolveSecretKey({
    env: keys.secretKeyEnv,
    file: keys.secretKeyFile,
    what: "the monitor's key (keys.secretKeyEnv, keys.secretKeyFile)",
  });
}
