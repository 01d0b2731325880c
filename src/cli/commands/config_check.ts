/**
 * `bigbrotr config check`: every configuration file, every problem, at once.
 *
 * @module
 */
import { ConfigError } from "../../core/config/config_error.ts";
import { loadConfig } from "../../core/config/load.ts";
import type { Command, Invocation } from "../command.ts";
import { fileInDirectory } from "../options/config_files.ts";
import { SERVICES } from "../services.ts";

export const configCheck: Command = {
  name: "config check",
  summary: "Check all configuration files and list every problem",
  description:
    `Reads config/brotr.yaml and config/services/*.yaml (or what --brotr-config and --config DIR name) as the services
would, environment included, and lists all problems of all files. Exits 2 when there are any.`,
  options: [],
  examples: [{ command: "config check", does: "all files" }],
  run(invocation) {
    const outcomes = [
      check("brotr", () => invocation.brotrConfig()),
      ...SERVICES.map((service) => {
        const file = fileInDirectory(invocation.options, service.name);
        return check(
          service.name,
          () => loadConfig(file, service.config),
          file,
        );
      }),
      ...strayFiles(invocation),
    ];
    for (const outcome of outcomes) {
      invocation.stdout.write(`${outcome.text}\n`);
    }
    return Promise.resolve(outcomes.every(({ good }) => good) ? 0 : 2);
  },
};

interface Outcome {
  readonly good: boolean;
  readonly text: string;
}

function check(name: string, load: () => unknown, file?: string): Outcome {
  try {
    load();
    return { good: true, text: `ok    ${name}${file ? ` (${file})` : ""}` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { good: false, text: `WRONG ${name}\n${error.message}` };
  }
}

/** A misspelt name (`config/services/syncronizer.yaml`) would never be read, without a word. */
function strayFiles({ options }: Invocation): Outcome[] {
  const directory = options.text("config") ?? "config/services";
  const known = new Set(SERVICES.map(({ name }) => `${name}.yaml`));
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(directory)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return entries
    .filter(({ isFile, name }) => isFile && /\.ya?ml$/.test(name))
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => ({
      good: false,
      text:
        `WRONG ${directory}/${name}\nno service reads this file: known are ${
          [...known].join(", ")
        }`,
    }));
}
