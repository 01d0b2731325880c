/**
 * `bigbrotr up`: everything in one process.
 *
 * @module
 */
import { ConfigError } from "../../core/config/config_error.ts";
import { Reload } from "../../core/lifecycle/reload.ts";
import type { CommonConfig, Service } from "../../core/lifecycle/service.ts";
import { Politeness } from "../../transport/politeness.ts";
import type { Command, Invocation } from "../command.ts";
import { filesText, serviceDirectory } from "../options/config_files.ts";
import { type Stage, watchPipeline } from "../terminal/pipeline_watch.ts";
import { releaseGone } from "../gone_processes.ts";
import { openServiceHost } from "../service_host.ts";
import { orSaySo } from "../taken_port.ts";
import { SERVICES } from "../services.ts";

export const up: Command = {
  name: "up",
  summary: "Run everything in one process: database, schema, all services",
  description:
    `Starts the embedded PostgreSQL (or connects to the configured server), brings the schema up to date, and runs all
services: relays are seeded, found, validated, monitored and archived until SIGINT or SIGTERM. Nothing needs to be
configured. What stands where is shown on a terminal, by \`bigbrotr status\` elsewhere, and over HTTP on
http://127.0.0.1:8000: /metrics, /healthz, /readyz ("up.metrics" in config/brotr.yaml). Without a terminal, SIGHUP reads
the configuration again: the log, opt-out and tiers go by it at once, and the log names what waits for a restart.`,
  options: [],
  examples: [
    { command: "up", does: "here, with data below ./data" },
    { command: "up --data-dir /srv/bigbrotr", does: "with data elsewhere" },
    {
      command: "up --database postgres://bigbrotr@db.example/bigbrotr",
      does: "on a server",
    },
  ],
  runsUntilStopped: () => true,
  run: runEverything,
};

async function runEverything(invocation: Invocation): Promise<number> {
  const { log, notifier } = invocation;
  const config = invocation.brotrConfig();
  const { metrics, maxNewConnectionsPerMinute } = config.up;
  const configs = serviceConfigs(invocation);
  const database = await invocation.openDatabase({
    schema: "migrate",
    patient: true,
  });
  await releaseGone({ database, log, config: invocation.brotrConfig() });
  // A service that gives up takes the others with it: a supervisor restarts the whole.
  const gaveUp = new AbortController();
  const signal = AbortSignal.any([invocation.signal, gaveUp.signal]);
  await using host = await orSaySo(metrics, () =>
    openServiceHost({
      database,
      config,
      log,
      notifier,
      signal,
      endpoints: metrics,
      politeness: new Politeness({ maxNewConnectionsPerMinute }),
      portKey: "up.metrics.port in config/brotr.yaml",
    }));
  await using pipeline = watchPipeline({
    database,
    host,
    log,
    screen: invocation.screen,
    signal,
  });
  const reloads = new Map(
    configs.map((
      [service, config],
    ) => [service.name, new Reload(service, config)]),
  );
  invocation.onReload(() =>
    serviceConfigs(invocation).flatMap(([{ name }, config]) =>
      reloads.get(name)?.emit(config) ?? []
    )
  );
  log.info("everything started", {
    services: configs.map(([{ name }]) => name),
    configuration: filesText(invocation),
  });
  await runAll(configs, async (service, config) => {
    const input = INPUT[service.name];
    if (input !== undefined) await pipeline.firstOf(input, signal);
    if (signal.aborted) return;
    const reload = reloads.get(service.name);
    await host.run(service, {
      config,
      once: false,
      signal,
      ...(reload && { reload }),
    });
  }, gaveUp);
  log.info("everything ended");
  return 0;
}

/**
 * Stage of the pipeline that a service waits for: on an empty machine its first cycle would find nothing to do, and its
 * second be minutes away.
 */
const INPUT: Readonly<Record<string, Stage>> = {
  validator: "candidates",
  monitor: "relays",
  synchronizer: "relays",
};

/** Runs all to their end. Throws what the first that failed threw, once the others have stopped. */
async function runAll(
  configs: readonly Configured[],
  run: (...configured: Configured) => Promise<void>,
  gaveUp: AbortController,
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(configs.map(async ([service, config]) => {
    try {
      await run(service, config);
    } catch (error) {
      failures.push(new Error(`${service.name} failed`, { cause: error }));
      gaveUp.abort(error);
    }
  }));
  if (failures.length > 0) throw failures[0];
}

type Configured = readonly [service: Service, config: CommonConfig];

/** All files, and what they name, are checked before anything is started, and all problems are told at once. */
function serviceConfigs(invocation: Invocation): Configured[] {
  serviceDirectory(invocation.options);
  const problems: string[] = [];
  const configs: Configured[] = [];
  for (const service of SERVICES) {
    try {
      const config = invocation.serviceConfig(service);
      service.readNamed?.(config);
      configs.push([service, config]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.toldAs(service.name));
    }
  }
  if (problems.length === 0) return configs;
  throw new ConfigError("the services' files", problems);
}
