import assert from "node:assert/strict";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { connectDatabase } from "../../../src/core/database/connect.ts";
import { until } from "../../support/until.ts";
import { silentLogger } from "../../support/silent_logger.ts";
import { serverVersions } from "../../support/postgres.ts";
import {
  type PrivatePostgres,
  privatePostgres,
  type PrivatePostgresOptions,
} from "../../support/private_postgres.ts";
import { type Certificate, makeCertificate } from "../../support/tls.ts";

for (const version of await serverVersions()) {
  Deno.test(`TLS modes demand what they say of ${version}`, async () => {
    const stranger = await makeCertificate({ names: ["localhost"] });
    await using server = await tlsServer(["localhost"], { version, stranger });
    const encrypted = (tls: string, options = {}) =>
      isEncrypted(server, { tls, host: "localhost", ...options });
    const caFile = `${server.directory}/ca`;
    const strangerFile = `${server.directory}/stranger`;

    assert.equal(await encrypted("disable"), false);
    assert.equal(await encrypted("prefer"), true);
    assert.equal(await encrypted("require"), true);
    assert.equal(await encrypted("verify-ca", { caFile }), true);
    assert.equal(await encrypted("verify-full", { caFile }), true);
    // Another name than the certificate's.
    const host = "127.0.0.1";
    assert.equal(await encrypted("verify-ca", { caFile, host }), true);
    await assertRefused(encrypted("verify-full", { caFile, host }));
    // Signed by somebody else; then by nobody whom the world knows.
    await assertRefused(encrypted("verify-ca", { caFile: strangerFile }));
    await assertRefused(encrypted("verify-full", { caFile: strangerFile }));
    await assertRefused(encrypted("verify-full"));
  });
}

Deno.test("TLS modes but disable and prefer refuse a server that has no TLS", async () => {
  await using server = await privatePostgres();
  const encrypted = (tls: string) =>
    isEncrypted(server, { tls, host: "127.0.0.1" });
  assert.equal(await encrypted("disable"), false);
  assert.equal(await encrypted("prefer"), false);
  for (const tls of ["require", "verify-ca", "verify-full"]) {
    await assert.rejects(encrypted(tls), {
      fault: "refused",
      message: new RegExp(`does not offer TLS, and the TLS mode is ${tls}$`),
    });
  }
});

Deno.test("a certificate must be of the host that was dialled, name or address", async () => {
  await using server = await tlsServer(["db.example", "127.0.0.1"]);
  const caFile = `${server.directory}/ca`;
  const encrypted = (tls: string, host: string) =>
    isEncrypted(server, { tls, host, caFile });
  assert.equal(await encrypted("verify-full", "127.0.0.1"), true);
  assert.equal(await encrypted("verify-ca", "localhost"), true);
  await assertRefused(encrypted("verify-full", "localhost"));
});

Deno.test("a deadline is kept over TLS, too", async () => {
  await using server = await tlsServer(["localhost"], {
    hba: "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
  });
  await using database = await connect(server, {
    tls: "require",
    host: "127.0.0.1",
  });
  await assert.rejects(database.run((sql) => sql`select pg_sleep(60)`), {
    fault: "timeout",
  });
  await until("nothing of it is left", async () => {
    const left = await server.sql`select 1 from pg_stat_activity
      where state = 'active' and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`;
    return left.length === 0;
  }, 30_000);
});

async function tlsServer(
  names: readonly string[],
  { stranger, ...options }: PrivatePostgresOptions & {
    readonly stranger?: Certificate;
  } = {},
): Promise<PrivatePostgres> {
  const { ca, cert, key } = await makeCertificate({ names });
  return await privatePostgres({
    ...options,
    files: { ca, cert, key, stranger: stranger?.ca ?? "" },
    settings: "ssl = on\nssl_cert_file = '../cert'\nssl_key_file = '../key'\n",
  });
}

async function assertRefused(attempt: Promise<boolean>): Promise<void> {
  await assert.rejects(attempt, {
    fault: "refused",
    message: /^Cannot trust PostgreSQL at /,
  });
}

async function isEncrypted(
  server: PrivatePostgres,
  options: Record<string, unknown>,
): Promise<boolean> {
  await using database = await connect(server, options);
  const [row] = await database.run((sql) =>
    sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
  );
  return row?.ssl === true;
}

function connect({ port }: PrivatePostgres, options: Record<string, unknown>) {
  return connectDatabase(
    brotrConfig.parse({
      database: { port, database: "postgres", ...options },
      retry: { maxAttempts: 1 },
      timeouts: { queryMs: 500 },
    }),
    { log: silentLogger(), signal: new AbortController().signal },
  );
}
