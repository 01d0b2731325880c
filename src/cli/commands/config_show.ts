/**
 * `bigbrotr config show`: the configuration in force, defaults included, secrets masked.
 *
 * @module
 */
import { stringify } from "yaml";
import { withoutSecrets } from "../../core/log/secret_text.ts";
import type { Command } from "../command.ts";
import { loadNamed, NAMED_CONFIGURATION } from "../options/named_config.ts";

export const configShow: Command = {
  name: "config show",
  summary: "Print the configuration in force, defaults included",
  description:
    `Prints, as YAML, what a service (or brotr: database, log and limits) would run with: file, environment and
command line put together, defaults included. Passwords are masked.`,
  arguments: [NAMED_CONFIGURATION],
  options: [{ name: "json", description: "print JSON instead of YAML" }],
  examples: [
    { command: "config show synchronizer", does: "what the synchronizer does" },
    { command: "config show brotr --json", does: "database, log and limits" },
  ],
  run(invocation) {
    const [name = ""] = invocation.arguments;
    const tree = withoutPasswords(loadNamed(name, invocation));
    invocation.stdout.write(
      invocation.options.flag("json")
        ? `${JSON.stringify(tree, null, 2)}\n`
        : stringify(tree),
    );
    return Promise.resolve(0);
  },
};

/** The only secrets that a configuration can hold itself are inside URLs: a password, a key in the query. */
function withoutPasswords(value: unknown): unknown {
  if (typeof value === "string") return withoutSecrets(quoted(value));
  if (Array.isArray(value)) return value.map(withoutPasswords);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, withoutPasswords(one)]),
  );
}

/** A quote inside a URL as it should have been written: in a text it is where a URL ends. */
function quoted(value: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
    ? value.replaceAll('"', "%22")
    : value;
}
