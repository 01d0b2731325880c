/**
 * Configurations by name, as the `config` commands take them: `brotr`, or a service.
 *
 * @module
 */
import type { z } from "zod";
import { brotrConfig } from "../../core/config/brotr_config.ts";
import type { Argument, Invocation } from "../command.ts";
import { UsageError } from "../usage_error.ts";
import { SERVICES } from "../services.ts";

const CONFIGURATION_NAMES: readonly string[] = [
  "brotr",
  ...SERVICES.map((service) => service.name),
];

export const NAMED_CONFIGURATION: Argument = {
  name: "NAME",
  description: "brotr (database, log, limits) or a service",
  required: true,
  choices: CONFIGURATION_NAMES,
};

/** The configuration as the command line and its files have it. Throws `ConfigError`. */
export function loadNamed(name: string, invocation: Invocation): unknown {
  if (name === "brotr") return invocation.brotrConfig();
  return invocation.serviceConfig(serviceNamed(name));
}

/** The schema of `brotr` or a service. */
export function schemaNamed(name: string): z.ZodType {
  return name === "brotr" ? brotrConfig : serviceNamed(name).config;
}

function serviceNamed(name: string) {
  const service = SERVICES.find((one) => one.name === name);
  if (service !== undefined) return service;
  throw new UsageError(
    `no configuration is called "${name}": there are ${
      CONFIGURATION_NAMES.join(", ")
    }`,
  );
}
