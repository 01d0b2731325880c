/**
 * `bigbrotr config check`: every configuration file, what it names, and every problem, at once.
 *
 * @module
 */
import type { Command, Invocation } from "../command.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { portFindings, proxyFindings } from "../doctor/endpoints.ts";
import { isWrong } from "../doctor/finding.ts";
import { findingsText } from "../reports/findings_report.ts";
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
  const findings = [
    ...configuration.findings,
    ...await portFindings(configuration),
    ...await proxyFindings(configuration),
  ];
  stdout.write(
    options.flag("json")
      ? `${JSON.stringify({ ok: !findings.some(isWrong), findings })}\n`
      : findingsText(findings, {
        columns: textColumns(stdout),
        paint: paintFor(stdout),
      }),
  );
  return findings.some(isWrong) ? 2 : 0;
}
