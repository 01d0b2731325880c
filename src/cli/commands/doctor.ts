/**
 * `bigbrotr doctor`: everything that can be wrong here, and what to do about it.
 *
 * @module
 */
import type { Command, Invocation } from "../command.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { databaseFindings } from "../doctor/database.ts";
import { portFindings, proxyFindings } from "../doctor/endpoints.ts";
import { type Finding, isWrong } from "../doctor/finding.ts";
import {
  diskFindings,
  dnsFindings,
  passwordFileFindings,
} from "../doctor/machine.ts";
import type { OptionValues } from "../options/option_values.ts";
import { findingsText } from "../reports/findings_report.ts";
import { textColumns } from "../terminal/output.ts";
import { paintFor } from "../terminal/paint.ts";
import { UsageError } from "../usage_error.ts";

const PARTS = [
  "configuration",
  "ports",
  "proxies",
  "disk",
  "dns",
  "database",
] as const;

type Part = (typeof PARTS)[number];

export const doctor: Command = {
  name: "doctor",
  summary: "Look for everything that can be wrong here, and say what to do",
  description:
    `Looks at configuration, secrets and files, ports, proxies, room on the disk, resolvers, the database with its schema,
indexes and clock, and at the services that work on it. Changes nothing, and works beside running services. With --repair
it applies what the schema lacks and builds damaged indexes anew. Exits 1 when something is wrong.`,
  options: [
    {
      name: "only",
      value: "LIST",
      description: `some of ${PARTS.join(",")}`,
      repeatable: true,
    },
    {
      name: "deep",
      description: "also read every index (amcheck), which takes a while",
    },
    { name: "repair", description: "put right what can be" },
    { name: "json", description: "print one JSON object" },
  ],
  examples: [
    { command: "doctor", does: "everything" },
    {
      command: "doctor --only database --deep --repair",
      does: "after a crash of the machine",
    },
  ],
  run: examine,
};

async function examine(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const parts = partsOf(options);
  const findings = await findingsOf(invocation, parts);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify({ ok: !findings.some(isWrong), findings })}\n`
      : findingsText(findings, {
        columns: textColumns(stdout),
        paint: paintFor(stdout),
      }),
  );
  return findings.some(isWrong) ? 1 : 0;
}

async function findingsOf(
  invocation: Invocation,
  parts: ReadonlySet<Part>,
): Promise<Finding[]> {
  const { options, signal } = invocation;
  const configuration = readConfiguration(invocation);
  const { brotr } = configuration;
  const findings: Finding[] = [];
  const add = async (part: Part, look: () => Promise<readonly Finding[]>) => {
    if (parts.has(part)) findings.push(...await look());
  };
  await add(
    "configuration",
    () =>
      Promise.resolve([...configuration.findings, ...passwordFileFindings()]),
  );
  await add("ports", () => portFindings(configuration));
  await add("proxies", () => proxyFindings(configuration));
  await add("dns", () => dnsFindings(signal));
  // Without its configuration there is no telling which disk and which database.
  if (brotr === null) return findings;
  await add("disk", () => diskFindings(brotr));
  await add("database", () =>
    databaseFindings(invocation, {
      deep: options.flag("deep"),
      repair: options.flag("repair"),
    }));
  return findings;
}

function partsOf(options: OptionValues): ReadonlySet<Part> {
  const named = options.items("only");
  if (named === undefined) return new Set(PARTS);
  return new Set(named.map((text) => {
    const part = PARTS.find((one) => one === text);
    if (part !== undefined) return part;
    throw new UsageError(
      `--only must be a list of ${PARTS.join(", ")}: given was ${
        JSON.stringify(text)
      }`,
    );
  }));
}
