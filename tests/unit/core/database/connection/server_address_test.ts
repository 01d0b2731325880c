import { deepStrictEqual, equal, match, ok, throws } from "node:assert/strict";
import { brotrConfig } from "../../../../../src/core/config/brotr_config.ts";
import {
  describeAddress,
  type ServerAddress,
  serverAddress,
} from "../../../../../src/core/database/connection/server_address.ts";

Deno.test("serverAddress() is null when no server is named", () => {
  equal(serverAddress(brotrConfig.parse({}).database), null);
});

Deno.test("serverAddress() reads URLs as libpq does", () => {
  const cases: [string, Partial<ServerAddress>][] = [
    ["postgres://db.example", { endpoint: { host: "db.example", port: 5432 } }],
    [
      "postgresql://ann:p%40ss@db.example:6432/archive?sslmode=verify-full",
      {
        endpoint: { host: "db.example", port: 6432 },
        user: "ann",
        password: "p@ss",
        database: "archive",
        tls: "verify-full",
      },
    ],
    ["postgres://[::1]:5433/x", { endpoint: { host: "::1", port: 5433 } }],
    [
      "postgresql:///archive?host=/run/postgresql&port=5433&user=ann",
      {
        endpoint: { path: "/run/postgresql/.s.PGSQL.5433" },
        user: "ann",
        database: "archive",
      },
    ],
    [
      "postgresql://%2Fvar%2Frun/archive",
      { endpoint: { path: "/var/run/.s.PGSQL.5432" } },
    ],
    ["postgres://h?sslmode=allow", { tls: "prefer" }],
  ];
  for (const [url, expected] of cases) {
    const address = addressOf({ url });
    deepStrictEqual({ ...address, ...expected }, address, url);
  }
});

Deno.test("serverAddress() reads parts, and the URL wins over them", () => {
  const parts = { port: 6432, database: "archive", user: "ann" };
  deepStrictEqual(addressOf({ ...parts, host: "db.example" }).endpoint, {
    host: "db.example",
    port: 6432,
  });
  const address = addressOf({ ...parts, url: "postgres://bob@other/base" });
  deepStrictEqual(address.endpoint, { host: "other", port: 6432 });
  deepStrictEqual([address.user, address.database], ["bob", "base"]);
});

Deno.test("serverAddress() takes the password from PGPASSWORD where nothing else names one", () => {
  const readEnv = (name: string) =>
    ({ PGPASSWORD: "of libpq", PW: "named" })[name];
  const of = (config: Record<string, unknown>) =>
    serverAddress(
      brotrConfig.parse({ database: { host: "h", ...config } }).database,
      readEnv,
    )?.password;
  equal(of({}), "of libpq");
  equal(of({ passwordEnv: "PW" }), "named");
  equal(of({ host: undefined, url: "postgres://a:in-url@h/d" }), "in-url");
});

Deno.test("serverAddress() takes the password from the URL before a variable", () => {
  const readEnv = (name: string) => name === "PW" ? "from env" : undefined;
  const of = (url: string) =>
    addressOf({ url, passwordEnv: "PW" }, readEnv).password;
  equal(of("postgres://ann@h"), "from env");
  equal(of("postgres://ann:own@h"), "own");
});

Deno.test("serverAddress() says what is wrong with a URL, and never shows it", () => {
  const cases = [
    ["postgres://ann:secret%@h", /not of the form postgresql:/],
    ["postgres://ann:secret@", /not of the form postgresql:/],
    ["postgres://ann:secret@h:port/x", /not of the form postgresql:/],
    ["postgres://ann:secret@h/x?sslmod=require", /unknown parameter "sslmod"/],
    ["postgres://ann:secret@h/x?sslmode=maybe", /"sslmode" must be one of/],
    ["postgres://ann:secret@h/x?port=0", /"port" must be 1 to 65535/],
    ["postgres://ann:secret@a,b/x", /one host is expected/],
  ] as const;
  for (const [url, expected] of cases) {
    throws(() => addressOf({ url }), (error) => {
      ok(error instanceof Error && error.name === "ConfigError", url);
      match(error.message, expected);
      ok(!error.message.includes("secret"), url);
      return true;
    });
  }
});

Deno.test("serverAddress() refuses an authority file that holds no certificate", () => {
  const parts = { host: "h", tls: "verify-full" };
  throws(
    () => addressOf({ ...parts, caFile: "/nowhere/ca.pem" }),
    /cannot read the certificate authority \(caFile\): there is no such file$/,
  );
  throws(
    () => addressOf({ ...parts, caFile: import.meta.filename }),
    /must be a PEM file with a certificate in it/,
  );
});

Deno.test("describeAddress() tells everything but the password", () => {
  equal(
    describeAddress(addressOf({ url: "postgres://ann:secret@[::1]:1/x" })),
    '[::1]:1, database "x", user "ann"',
  );
});

function addressOf(
  database: Record<string, unknown>,
  readEnv: (name: string) => string | undefined = () => undefined,
): ServerAddress {
  const address = serverAddress(
    brotrConfig.parse({ database }).database,
    readEnv,
  );
  ok(address);
  return address;
}
