/**
 * `bigbrotr doctor`: everything that can be wrong here, and what to do about it.
 *
 * @module
 */
import type { Command, Invocation } from "../command.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { databaseDiagnoses } from "../doctor/database.ts";
import { portDiagnoses, proxyDiagnoses } from "../doctor/endpoints.ts";
import { type Diagnosis, isWrong } from "../doctor/diagnosis.ts";
import {
  diskDiagnoses,
  dnsDiagnoses,
  secretFileDiagnoses,
} from "../doctor/machine.ts";
import type { OptionValues } from "../options/option_values.ts";
import { diagnosesText } from "../reports/diagnosis_report.ts";
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
      description: `some of ${PARTS.join(", ")}`,
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
  const diagnoses = await diagnosesOf(invocation, parts);
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify({ ok: !diagnoses.some(isWrong), diagnoses })}\n`
      : diagnosesText(diagnoses, {
        columns: textColumns(stdout),
        paint: paintFor(stdout),
      }),
  );
  return diagnoses.some(isWrong) ? 1 : 0;
}

async function diagnosesOf(
  invocation: Invocation,
  parts: ReadonlySet<Part>,
): Promise<Diagnosis[]> {
  const { options, signal } = invocation;
  const configuration = readConfiguration(invocation);
  const { brotr } = configuration;
  const diagnoses: Diagnosis[] = [];
  const add = async (part: Part, look: () => Promise<readonly Diagnosis[]>) => {
    if (parts.has(part)) diagnoses.push(...await look());
  };
  await add(
    "configuration",
    () =>
      Promise.resolve([
        ...configuration.diagnoses,
        ...secretFileDiagnoses(configuration),
      ]),
  );
  await add("ports", () => portDiagnoses(configuration));
  await add("proxies", () => proxyDiagnoses(configuration));
  await add("dns", () => dnsDiagnoses(signal));
  // Without its configuration there is no telling which disk and which database.
  if (brotr === null) return diagnoses;
  await add("disk", () => diskDiagnoses(brotr));
  await add("database", () =>
    databaseDiagnoses(invocation, {
      deep: options.flag("deep"),
      repair: options.flag("repair"),
    }));
  return diagnoses;
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
