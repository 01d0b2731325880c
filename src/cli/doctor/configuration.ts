/**
 * Every configuration file, and the secrets and files that it names, as the services would read them.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { BrotrConfig } from "../../core/config/brotr_config.ts";
import { ConfigError, whyUnwritable } from "../../core/config/config_error.ts";
import { serverAddress } from "../../core/database/connection/server_address.ts";
import type { CommonConfig, Service } from "../../core/lifecycle/service.ts";
import { monitor } from "../../services/monitor/mod.ts";
import type { Invocation } from "../command.ts";
import { brotrFile, serviceDirectory } from "../options/config_files.ts";
import { SERVICES } from "../services.ts";
import { type Diagnosis, note, sound, wrong } from "./diagnosis.ts";

/** A configuration that can be read. */
export interface ReadConfig {
  readonly service: Service;
  readonly config: CommonConfig;
}

export interface Configuration {
  /** Null when it cannot be read. */
  readonly brotr: BrotrConfig | null;
  readonly services: readonly ReadConfig[];
  readonly diagnoses: readonly Diagnosis[];
}

/** Reads everything; what is wrong with one file does not keep from reading the others. */
export function readConfiguration(invocation: Invocation): Configuration {
  const brotr = readBrotr(invocation);
  const directory = serviceDirectory(invocation.options);
  const services = SERVICES.map((service) => readService(service, invocation));
  return {
    brotr: brotr.config,
    services: services.flatMap(({ read }) => read === null ? [] : [read]),
    diagnoses: [
      ...brotr.diagnoses,
      ...services.flatMap(({ diagnoses }) => diagnoses),
      ...(directory === undefined ? [] : strayFiles(directory)),
    ],
  };
}

function readBrotr(
  invocation: Invocation,
): { config: BrotrConfig | null; diagnoses: Diagnosis[] } {
  const file = brotrFile(invocation.options);
  let config: BrotrConfig | null = null;
  const diagnosis = graded("brotr", file, () => {
    config = invocation.brotrConfig();
    serverAddress(config.database);
    checkLogFile(config.log.file);
  });
  return { config, diagnoses: [diagnosis] };
}

function checkLogFile(path: string | undefined): void {
  if (path === undefined) return;
  const directory = dirname(path);
  try {
    if (Deno.statSync(directory).isDirectory) return;
  } catch (error) {
    throw new ConfigError("log.file", [
      `cannot write ${path}: ${whyUnwritable(error)}`,
    ]);
  }
}

function readService(
  service: Service,
  invocation: Invocation,
): { read: ReadConfig | null; diagnoses: Diagnosis[] } {
  const before = new Set(invocation.configFiles);
  let read: ReadConfig | null = null;
  let file: string | undefined;
  const diagnosis = graded(service.name, undefined, () => {
    const config = invocation.serviceConfig(service);
    file = invocation.configFiles.find((one) => !before.has(one));
    read = { service, config };
    service.readNamed?.(config);
  });
  const named = file === undefined || diagnosis.grade !== "ok"
    ? diagnosis
    : sound(service.name, file);
  const isMonitor = service.name === monitor.name && read !== null;
  return {
    read,
    diagnoses: [named, ...(isMonitor ? mmdbDiagnoses(invocation) : [])],
  };
}

/** A look-up without its file is left out, and the others are made: nothing stops, so nobody would notice. */
function mmdbDiagnoses(invocation: Invocation): Diagnosis[] {
  const { cityPath, cityUrl, asnPath, asnUrl } =
    invocation.serviceConfig(monitor).mmdb;
  const files = [
    { key: "mmdb.cityPath", path: cityPath, url: cityUrl },
    { key: "mmdb.asnPath", path: asnPath, url: asnUrl },
  ];
  return files.flatMap(({ key, path, url }) => {
    if (path === undefined || isFile(path)) return [];
    return url === undefined
      ? [
        wrong(
          "monitor",
          `${key}: there is no file ${path}`,
          "Put it there, or remove the key",
        ),
      ]
      : [
        note("monitor", `${key}: ${path} is not there yet and will be fetched`),
      ];
  });
}

function graded(
  about: string,
  file: string | undefined,
  read: () => void,
): Diagnosis {
  try {
    read();
    return sound(about, file ?? "defaults");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return wrong(about, error.message);
  }
}

/** A misspelt name (`config/services/syncronizer.yaml`) would never be read, without a word. */
function strayFiles(directory: string): Diagnosis[] {
  const known = new Set(SERVICES.map(({ name }) => `${name}.yaml`));
  return [...Deno.readDirSync(directory)]
    .filter(({ isFile, name }) => isFile && /\.ya?ml$/.test(name))
    .filter(({ name }) => !known.has(name))
    .map(({ name }) =>
      wrong(
        join(directory, name),
        `no service reads this file: known are ${[...known].join(", ")}`,
      )
    );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
