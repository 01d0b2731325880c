import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../../../src/core/config/config_error.ts";
import { loadConfig } from "../../../../src/core/config/load.ts";
import {
  optedOutHosts,
  optOutKeys,
} from "../../../../src/core/config/opt_out.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";

const schema = z.strictObject(optOutKeys);

Deno.test("optedOutHosts() are those of the configuration and those of the file", async () => {
  await using directory = await temporaryDirectory();
  const optOutFile = join(directory.path, "opt-out");
  const lines = [
    "# asked on 2026-11-02",
    "",
    "*.NOS.lol  # all of them",
    "::1",
  ];
  await Deno.writeTextFile(optOutFile, lines.join("\r\n"));
  const config = loadConfig(undefined, schema, {
    overrides: { optOut: ["Relay.Damus.io"], optOutFile },
  });
  assert.deepEqual(optedOutHosts(config), [
    "relay.damus.io",
    "*.nos.lol",
    "::1",
  ]);
  assert.deepEqual(optedOutHosts(schema.parse({})), []);
});

Deno.test("optedOutHosts() names every bad line, and visits nobody by mistake", async () => {
  await using directory = await temporaryDirectory();
  const optOutFile = join(directory.path, "opt-out");
  await Deno.writeTextFile(optOutFile, "damus.io\nwss://nos.lol\n*\n");
  assert.throws(
    () => optedOutHosts({ optOut: [], optOutFile }),
    (error) => {
      assert(error instanceof ConfigError);
      assert.match(error.problems.join("\n"), /line 2 must be .*\nline 3 must/);
      return true;
    },
  );
});

Deno.test("an opt-out list that cannot be read, or names no host, is an error", () => {
  const optOutFile = "/nowhere/opt-out";
  assert.throws(
    () => optedOutHosts({ optOut: [], optOutFile }),
    /\/nowhere\/opt-out: cannot get "optOutFile": there is no such file/,
  );
  assert.throws(
    () =>
      loadConfig(undefined, schema, { overrides: { optOut: ["nos.lol:443"] } }),
    /optOut.*must be a host or \*\.domain/,
  );
});
