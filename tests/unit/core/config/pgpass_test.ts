import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import {
  libpqPassword,
  passwordFileFault,
  passwordIn,
} from "../../../../src/core/config/pgpass.ts";
import { temporaryDirectory } from "../../../support/temporary_directory.ts";

const TARGET = { host: "db.example", port: 5432, database: "d", user: "u" };

Deno.test("passwordIn() finds the first line that matches, as libpq does", () => {
  const cases: [string, string | null][] = [
    ["db.example:5432:d:u:secret", "secret"],
    ["*:*:*:*:any", "any"],
    ["other:5432:d:u:no\ndb.example:*:*:u:yes\n*:*:*:*:late", "yes"],
    ["# db.example:5432:d:u:no\r\ndb.example:5432:d:u:crlf\r\n", "crlf"],
    [String.raw`db.example:5432:d:u:with\:colon\\`, "with:colon\\"],
    ["db.example:5432:d:u:a:b", "a:b"],
    ["db.example:5432:d:u:", ""],
    ["db.example:5433:d:u:port", null],
    ["db.example:5432:d:u", null],
    ["", null],
  ];
  for (const [text, password] of cases) {
    equal(passwordIn(text, TARGET), password, text);
  }
  const escaped = { ...TARGET, user: "a:b" };
  equal(passwordIn(String.raw`*:*:*:a\:b:x`, escaped), "x");
  const socket = { ...TARGET, host: "/run/postgresql" };
  equal(passwordIn("localhost:5432:d:u:local", socket), "local");
  equal(passwordIn("/run/postgresql:5432:d:u:path", socket), "path");
});

Deno.test("libpqPassword() takes PGPASSWORD first, then the file that only its owner reads", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, ".pgpass");
  await Deno.writeTextFile(path, "*:*:*:*:from file\n", { mode: 0o600 });
  const env = (values: Record<string, string>) => (name: string) =>
    values[name];
  const here = { HOME: home.path };
  equal(libpqPassword(TARGET, env(here)), "from file");
  equal(libpqPassword(TARGET, env({ ...here, PGPASSWORD: "set" })), "set");
  equal(libpqPassword(TARGET, env({ PGPASSFILE: path })), "from file");
  equal(libpqPassword(TARGET, env({})), null);
  equal(libpqPassword(TARGET, env({ PGPASSFILE: `${path}.none` })), null);

  await Deno.chmod(path, 0o644);
  equal(libpqPassword(TARGET, env(here)), null);
  match(passwordFileFault(env(here)) ?? "", /others may read it: chmod 600/);
});
