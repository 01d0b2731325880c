/**
 * `bigbrotr config check`: every configuration file, what it names, and every problem, at once.
 *
 * @module
 */
import type { Command, Invocation } from "../command.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { portDiagnoses, proxyDiagnoses } from "../doctor/endpoints.ts";
import { isWrong } from "../doctor/diagnosis.ts";
import { diagnosesText } from "../reports/diagnosis_report.ts";
import { textColumns } from "../terminal/output.ts";
import { paintFor } from "../terminal/paint.ts";

export const configCheck: Command = {
  name: "config check",
  summary: "Check all configuration files and list every problem",
  description:
    `Reads config/brotr.yaml and config/services/*.yaml (or what --brotr-config and --config DIR name) as the services
would, with the secrets and files that they name; tries the ports that they open and the proxies of enabled networks. Lists
all problems of all files. Exits 2 when there are any.`,
  options: [{ name: "json", description: "print one JSON object" }],
  examples: [
    { command: "config check", does: "all files" },
    { command: "config check --config /etc/bigbrotr", does: "those there" },
  ],
  run: check,
};

async function check(invocation: Invocation): Promise<number> {
  const { options, stdout } = invocation;
  const configuration = readConfiguration(invocation);
  const diagnoses = [
    ...configuration.diagnoses,
    ...await portDiagnoses(configuration),
    ...await proxyDiagnoses(configuration),
  ];
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify({ ok: !diagnoses.some(isWrong), diagnoses })}\n`
      : diagnosesText(diagnoses, {
        columns: textColumns(stdout),
        paint: paintFor(stdout),
      }),
  );
  return diagnoses.some(isWrong) ? 2 : 0;
}
