/**
 * `bigbrotr relay opt-out HOST…`: hosts that are never dialled again.
 *
 * @module
 */
import {
  ConfigError,
  whyUnreadable,
  whyUnwritable,
} from "../../../core/config/config_error.ts";
import { parseHostPattern } from "../../../models/host_list.ts";
import type { Command, Invocation } from "../../command.ts";
import { relayArgument } from "../../options/relay_arguments.ts";
import { SERVICES } from "../../services.ts";
import { UsageError } from "../../usage_error.ts";

export const relayOptOut: Command = {
  name: "relay opt-out",
  summary: "Never dial these hosts again, as their operators wish",
  description:
    `Adds hosts to the files that the services name as optOutFile (or to --file), each with the day. They are neither looked
up nor dialled any more once the services have read it (SIGHUP); what was archived stays.`,
  arguments: [{
    name: "HOST",
    description: "a host, *.domain for all below it, or a relay's URL",
    required: true,
    variadic: true,
  }],
  options: [
    {
      name: "file",
      value: "PATH",
      description: "this list instead of those that the services name",
      completes: "files",
    },
  ],
  examples: [
    { command: "relay opt-out relay.example.com", does: "one host" },
    { command: "relay opt-out '*.example.com'", does: "and all below it" },
  ],
  run: optOut,
};

async function optOut(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const hosts = [...new Set(invocation.arguments.map(hostOf))];
  const named = options.text("file");
  const files = named === undefined ? listsOf(invocation) : [named];
  if (files.length === 0) {
    throw new ConfigError("the services' files", [
      'none names an "optOutFile": set it for finder, validator, monitor and synchronizer, or give --file PATH',
    ]);
  }
  for (const file of files) {
    const added = await addHosts(file, hosts);
    for (const host of hosts) {
      const done = added.has(host) ? "added to" : "was in";
      stdout.write(`${host}: ${done} ${file}\n`);
    }
  }
  stdout.write(
    "Services that run heed it from their next SIGHUP on (systemctl reload), or a restart.\n",
  );
  return 0;
}

/** Throws {@linkcode UsageError}. */
function hostOf(text: string): string {
  if (text.includes("://")) {
    return relayArgument(text, { verb: "opt out", allowPrivate: true }).host;
  }
  const host = parseHostPattern(text);
  if (host.ok) return host.value;
  throw new UsageError(
    `Cannot opt out ${JSON.stringify(text)}: ${host.failure.detail}`,
  );
}

/** The lists that the services name, each once. */
function listsOf(invocation: Invocation): string[] {
  const files = SERVICES.map((service) => {
    const config: object = invocation.serviceConfig(service);
    return "optOutFile" in config ? config.optOutFile : undefined;
  });
  return [...new Set(files.filter((file) => typeof file === "string"))];
}

/** Adds those that are not in the list yet, and gives them. */
async function addHosts(
  file: string,
  hosts: readonly string[],
): Promise<Set<string>> {
  const text = await readList(file);
  const listed = new Set(
    text.split("\n").map((line) => line.replace(/#.*/, "").trim()),
  );
  const added = new Set(hosts.filter((host) => !listed.has(host)));
  if (added.size === 0) return added;
  const today = new Date().toISOString().slice(0, 10);
  const start = text === "" || text.endsWith("\n") ? "" : "\n";
  const lines = [...added].map((host) => `${host}  # ${today}\n`).join("");
  try {
    await Deno.writeTextFile(file, start + lines, { append: true });
  } catch (error) {
    throw new Error(`Cannot write ${file}: ${whyUnwritable(error)}`);
  }
  return added;
}

async function readList(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw new Error(`Cannot read ${file}: ${whyUnreadable(error)}`);
  }
}
