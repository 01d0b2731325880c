import { equal, throws } from "node:assert/strict";
import { join } from "node:path";
import { resolveSecret } from "../../../../src/core/config/secret.ts";

const what = "the database password (passwordEnv, passwordFile)";

function env(
  values: Record<string, string>,
): (name: string) => string | undefined {
  return (name) => values[name];
}

async function withFiles(
  files: Record<string, string>,
  use: (directory: string) => void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(directory, name), text);
    }
    use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("resolveSecret() reads the named variable", () => {
  equal(
    resolveSecret({ what, env: "PW", readEnv: env({ PW: "s3cret" }) }),
    "s3cret",
  );
  equal(resolveSecret({ what, readEnv: env({}) }), null);
});

Deno.test("a named variable that is not set or empty is an error that says so", () => {
  throws(
    () => resolveSecret({ what, env: "PW", readEnv: env({}) }),
    /cannot get the database password .*: the environment variable PW is not set/,
  );
  throws(
    () => resolveSecret({ what, env: "PW", readEnv: env({ PW: "" }) }),
    /the environment variable PW is empty/,
  );
});

Deno.test("resolveSecret() reads a file without its last line break", () =>
  withFiles({ pw: "s3cret with spaces \n", empty: "\n" }, (directory) => {
    const read = (name: string) =>
      resolveSecret({ what, file: join(directory, name), readEnv: env({}) });
    equal(read("pw"), "s3cret with spaces ");
    throws(() => read("empty"), /the file is empty/);
    throws(
      () => read("missing"),
      /missing: cannot get .*there is no such file/,
    );
  }));

Deno.test("a bare file name is a systemd credential when there is one", () =>
  withFiles({ db_password: "from systemd\n" }, (directory) => {
    const readEnv = env({ CREDENTIALS_DIRECTORY: directory });
    equal(
      resolveSecret({ what, file: "db_password", readEnv }),
      "from systemd",
    );
    throws(
      () => resolveSecret({ what, file: "other", readEnv }),
      /there is no such file/,
    );
  }));
