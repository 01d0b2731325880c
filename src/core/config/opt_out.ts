/**
 * Opt-out: hosts whose operators do not want visits, in the configuration and in a file that is easy to share.
 *
 * @module
 */
import { z } from "zod";
import { parseHostPattern } from "../../models/host_list.ts";
import { ConfigError, whyUnreadable } from "./config_error.ts";

const hostPattern = z.string().max(253).transform((text, check) => {
  const host = parseHostPattern(text);
  if (host.ok) return host.value;
  check.addIssue({ code: "custom", message: explain(host.failure.detail) });
  return z.NEVER;
});

/** The keys of a list of hosts that are never dialled. */
export const optOutKeys = {
  optOut: z.array(hostPattern).max(100_000).default([])
    .describe(
      "Hosts that are never dialled, as their operators wish: relay.damus.io, or *.damus.io for the domain and all below it",
    ),
  optOutFile: z.string().min(1).optional()
    .describe(
      "File with more of them, one a line, read at the start and at each SIGHUP",
    ),
};

/** Keys that are gone by anew at each reading. */
export const OPT_OUT_KEYS = ["optOut", "optOutFile"] as const;

export interface OptOutConfig {
  readonly optOut: readonly string[];
  readonly optOutFile?: string | undefined;
}

/**
 * All hosts that are never dialled, in the form `HostList` takes.
 * Throws {@linkcode ConfigError}: rather no start than a visit to a host that asked for none.
 */
export function optedOutHosts(
  { optOut, optOutFile }: OptOutConfig,
): readonly string[] {
  return optOutFile === undefined
    ? optOut
    : [...optOut, ...readHosts(optOutFile)];
}

/** Reads one host a line; `#` begins a comment. */
function readHosts(path: string): string[] {
  const problems: string[] = [];
  const hosts = readText(path).split("\n").flatMap((line, index) => {
    const text = line.replace(/#.*/, "").trim();
    if (text === "") return [];
    const host = parseHostPattern(text);
    if (host.ok) return [host.value];
    problems.push(`line ${index + 1} ${explain(host.failure.detail)}`);
    return [];
  });
  if (problems.length > 0) throw new ConfigError(path, problems);
  return hosts;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const why = `cannot get "optOutFile": ${whyUnreadable(error)}`;
    throw new ConfigError(path, [why]);
  }
}

function explain(detail: string): string {
  return `must be a host or *.domain, without scheme, port or path. ${detail}`;
}
