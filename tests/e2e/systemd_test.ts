/**
 * The units of config/systemd, as systemd reads them.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { missing, unless } from "../support/installed.ts";

const FOLDER = new URL("../../config/systemd/", import.meta.url);
const UNITS = ["bigbrotr.service", "bigbrotr@.service", "bigbrotr-db.service"];
const NO_ANALYZE = await missing("systemd-analyze");
const SERVICES = [
  "seeder",
  "finder",
  "validator",
  "monitor",
  "synchronizer",
  "refresher",
];

Deno.test("config/systemd has these units and the account they run as", async () => {
  const names = await Array.fromAsync(Deno.readDir(FOLDER), ({ name }) => name);
  deepEqual(names.sort(), [...UNITS, "bigbrotr.sysusers"].sort());
});

Deno.test("every unit tells systemd when it is ready, is watched, and is confined", async () => {
  for (const unit of UNITS) {
    const text = await Deno.readTextFile(new URL(unit, FOLDER));
    match(text, /^Type=notify$/m, unit);
    match(text, /^WatchdogSec=\d+$/m, unit);
    match(text, /^User=bigbrotr$/m, unit);
    match(text, /^ProtectSystem=strict$/m, unit);
    match(text, /^NoNewPrivileges=yes$/m, unit);
    match(text, /^RestartPreventExitStatus=2$/m, unit);
    // SIGTERM to the whole group would end PostgreSQL's connections before the last batch is written.
    match(text, /^KillMode=mixed$/m, unit);
    // ProtectSystem=strict leaves no other place for a log file.
    match(text, /^LogsDirectory=bigbrotr$/m, unit);
  }
});

Deno.test({
  ...unless(
    NO_ANALYZE,
    "systemd-analyze verify finds nothing wrong with the units",
  ),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "bigbrotr-units-" });
    try {
      const paths = await installedUnits(folder);
      const { code, stderr } = await new Deno.Command("systemd-analyze", {
        args: ["verify", "--man=no", ...paths],
        stdout: "null",
        stderr: "piped",
      }).output();
      equal(textOf(stderr), "");
      equal(code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  ...unless(
    NO_ANALYZE,
    "systemd-analyze security: the exposure of every unit is at most 2.0",
  ),
  async fn() {
    for (const unit of UNITS) {
      const path = join(FOLDER.pathname, unit);
      const { code, stdout, stderr } = await new Deno.Command(
        "systemd-analyze",
        { args: ["security", "--offline=true", "--threshold=20", path] },
      ).output();
      const report = textOf(stdout);
      match(report, /Overall exposure level .*: \d\.\d OK/, textOf(stderr));
      equal(code, 0, report);
    }
  },
});

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The units as `systemctl enable` would have them, with a program that is there on every machine. */
async function installedUnits(folder: string): Promise<string[]> {
  const instances = SERVICES.map((service) => `bigbrotr@${service}.service`);
  for (const unit of [...UNITS, ...instances]) {
    const source = unit.replace(/@\w+\./, "@.");
    const text = await Deno.readTextFile(new URL(source, FOLDER));
    await Deno.writeTextFile(
      join(folder, unit),
      text.replaceAll("/usr/local/bin/bigbrotr", "/bin/true"),
    );
  }
  return ["bigbrotr.service", "bigbrotr-db.service", ...instances]
    .map((unit) => join(folder, unit));
}
