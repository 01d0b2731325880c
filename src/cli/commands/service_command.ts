/**
 * `bigbrotr <service>`: one service in a process of its own, or one cycle of it.
 *
 * @module
 */
import { Reload } from "../../core/lifecycle/reload.ts";
import type { Database } from "../../core/database/connection/database.ts";
import type { Service } from "../../core/lifecycle/service.ts";
import type { Argument, Command, Invocation, Option } from "../command.ts";
import { orSaySo } from "../taken_port.ts";
import { filesText } from "../options/config_files.ts";
import { releaseGone } from "../gone_processes.ts";
import { openServiceHost } from "../service_host.ts";

/** Options of a service's command beside `--once`. */
export interface ServiceLine {
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  readonly examples: Command["examples"];
  /** Keys of the configuration that the command line decides. */
  overrides(invocation: Invocation): Readonly<Record<string, unknown>>;
  /** Whether one cycle is asked for by other words than `--once`. Throws `UsageError`. Default: never. */
  isOnce?(invocation: Invocation): boolean;
  /** Called when the database is open, before the service runs; what it gives is disposed when that has ended. */
  begin?(invocation: Invocation, database: Database): Promise<Disposable>;
}

const NOTHING_MORE: ServiceLine = {
  arguments: [],
  options: [],
  examples: [],
  overrides: () => ({}),
};

/** The command that runs `service`. */
export function serviceCommand(
  service: Service,
  line: ServiceLine = NOTHING_MORE,
): Command {
  return {
    name: service.name,
    summary: service.summary,
    description: describe(service),
    arguments: line.arguments,
    options: [{
      name: "once",
      description:
        "run one cycle and exit: 0 when it succeeded, 1 when not, 130 when it was interrupted",
    }, ...line.options],
    examples: line.examples.length > 0 ? line.examples : [
      { command: service.name, does: "until SIGINT or SIGTERM" },
      { command: `${service.name} --once`, does: "one cycle" },
      {
        command:
          `${service.name} --database postgres://bigbrotr@db.example/bigbrotr`,
        does: "on a server",
      },
    ],
    // A seeder without an interval is done when its list is read.
    runsUntilStopped: (invocation) =>
      !isOnce(invocation, line) &&
      invocation.serviceConfig(service).intervalSeconds > 0,
    run: (invocation) => runService(service, invocation, line),
  };
}

function isOnce(invocation: Invocation, line: ServiceLine): boolean {
  const isMeant = line.isOnce?.(invocation) ?? false;
  return isMeant || invocation.options.flag("once");
}

function describe({ name, summary }: Service): string {
  return `${summary}.

Works on the configured database only: services never talk to each other, and any number of processes on any
number of machines may run this one. Configuration: config/services/${name}.yaml, all of it optional
(\`bigbrotr config show ${name}\` prints what is in force); SIGHUP reads it again: the log, opt-out and tiers go by it at once, and
the log names what waits for a restart. Exits 1 after maxConsecutiveFailures failed cycles in a row.`;
}

async function runService(
  service: Service,
  invocation: Invocation,
  line: ServiceLine,
): Promise<number> {
  const { log, notifier, signal } = invocation;
  const once = isOnce(invocation, line);
  const overrides = line.overrides(invocation);
  const config = invocation.serviceConfig(service, overrides);
  service.readNamed?.(config);
  const database = await invocation.openDatabase({ patient: !once });
  await releaseGone({ database, log, config: invocation.brotrConfig() });
  const { metrics } = config;
  await using host = await orSaySo(metrics, () =>
    openServiceHost({
      database,
      config: invocation.brotrConfig(),
      log,
      notifier,
      signal,
      endpoints: { ...metrics, enabled: metrics.enabled && !once },
      portKey: `metrics.port in config/services/${service.name}.yaml`,
      role: service.role ?? "writer",
    }));
  log.info("service started", {
    once,
    configuration: filesText(invocation),
  });
  const reload = new Reload(service, config);
  invocation.onReload(() => {
    const config = invocation.serviceConfig(service, overrides);
    service.readNamed?.(config);
    return reload.emit(config);
  });
  using _begun = await line.begin?.(invocation, database);
  await host.run(service, { config, once, signal, reload });
  log.info("service ended");
  return 0;
}
