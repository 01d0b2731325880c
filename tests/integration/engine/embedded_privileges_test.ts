/**
 * Root runs PostgreSQL as a user without rights: what that user puts in root's way has no effect.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { embeddedUrl } from "../../../src/core/database/embedded/embedded_url.ts";
import { openDatabase, openServer } from "../../support/embedded.ts";
import { unless } from "../../support/installed.ts";
import { NOBODY } from "../../support/postgres_cluster.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const NOT_ROOT = isRoot() ? null : "only root can do this";

Deno.test({
  ...unless(
    NOT_ROOT,
    "the data directory stays root's, but for the cluster and the socket",
  ),
  async fn() {
    await using directory = await temporaryDirectory();
    const dataDir = `${directory.path}/data`;
    await using _server = await openServer(dataDir);
    const owners = new Map<string, number | null>();
    for await (const { name } of Deno.readDir(dataDir)) {
      const { uid, mode } = await Deno.lstat(join(dataDir, name));
      owners.set(name, uid);
      assert.equal((mode ?? 0) & 0o022, 0, `${name} can be written by others`);
    }
    const theirs = [...owners].filter(([, uid]) => uid !== 0);
    assert.deepEqual(theirs.map(([name]) => name).toSorted(), [
      "postgres",
      "run",
    ]);
    assert.equal((await Deno.lstat(dataDir)).uid, 0);
    for await (const { name } of Deno.readDir(`${dataDir}/conf`)) {
      assert.equal((await Deno.lstat(`${dataDir}/conf/${name}`)).uid, 0);
    }
  },
});

Deno.test({
  ...unless(
    NOT_ROOT,
    "links that the server's user lays in its cluster lead root nowhere, in no start",
  ),
  async fn() {
    await using directory = await temporaryDirectory();
    const dataDir = `${directory.path}/data`;
    await (await openServer(dataDir))[Symbol.asyncDispose]();
    const victim = `${directory.path}/victim`;
    await Deno.writeTextFile(victim, "root's own", { mode: 0o600 });
    const names = [
      "postgresql.conf",
      "pg_hba.conf",
      "pg_ident.conf",
      "custom.conf",
    ];
    for (const name of names) {
      await asNobody(`ln -sf '${victim}' '${dataDir}/postgres/${name}'`);
    }
    {
      await using database = await openDatabase(dataDir);
      assert.equal((await database.health()).ok, true);
    }
    assert.equal(await Deno.readTextFile(victim), "root's own");
    assert.equal((await Deno.stat(victim)).uid, 0);

    await asNobody(`ln -s '${victim}' '${dataDir}/postgres/postmaster.pid'`);
    await (await openServer(dataDir))[Symbol.asyncDispose]();
    assert.equal(await Deno.readTextFile(victim), "root's own");
  },
});

Deno.test({
  ...unless(
    NOT_ROOT,
    "in a directory of another user root runs no server and touches nothing",
  ),
  async fn() {
    await using directory = await temporaryDirectory();
    const dataDir = `${directory.path}/data`;
    await Deno.mkdir(dataDir);
    await Deno.chown(dataDir, NOBODY.uid, NOBODY.gid);
    const victim = `${directory.path}/victim`;
    for (const name of ["owner.lock", "owner.pid", "postgres.log", "conf"]) {
      await asNobody(`ln -s '${victim}' '${dataDir}/${name}'`);
    }
    await assert.rejects(
      openServer(dataDir),
      /belongs to nobody \(uid 65534\).*runuser -u nobody/,
    );
    await assert.rejects(Deno.lstat(victim), Deno.errors.NotFound);

    // Given to root later, it is taken for root's without what lies in it.
    await Deno.chown(dataDir, 0, 0);
    await (await openServer(dataDir))[Symbol.asyncDispose]();
    await assert.rejects(Deno.lstat(victim), Deno.errors.NotFound);
    assert.equal((await Deno.lstat(`${dataDir}/owner.lock`)).uid, 0);
  },
});

Deno.test({
  ...unless(NOT_ROOT, "a directory that others may write is not one for root"),
  async fn() {
    await using directory = await temporaryDirectory();
    const open = `${directory.path}/open`;
    await Deno.mkdir(open);
    await Deno.chmod(open, 0o777);
    await assert.rejects(
      openServer(open),
      /others may write there.*chmod go-w/,
    );
    const theirs = `${directory.path}/theirs`;
    await Deno.mkdir(`${theirs}/data`, { recursive: true });
    await Deno.chown(theirs, NOBODY.uid, NOBODY.gid);
    await assert.rejects(
      openServer(`${theirs}/data`),
      /theirs belongs to user "nobody".*who will run PostgreSQL/,
    );
  },
});

Deno.test({
  ...unless(
    NOT_ROOT ??
      (await hasUser("bigbrotr")
        ? "the server runs as a user of its own"
        : null),
    "programs that run as nobody, too, are not let in by the socket",
  ),
  async fn() {
    await using directory = await temporaryDirectory();
    const dataDir = `${directory.path}/data`;
    await using _server = await openServer(dataDir);
    const url = await embeddedUrl({ dataDir });
    const root = await psql(url, {});
    assert.equal(root.said, "1\n");
    const nobody = await psql(url, NOBODY);
    assert.match(nobody.said, /Peer authentication failed/);
  },
});

async function psql(
  url: string,
  user: Pick<Deno.CommandOptions, "uid" | "gid">,
) {
  const { stdout, stderr } = await new Deno.Command("psql", {
    ...user,
    args: ["-At", url, "-c", "select 1"],
    cwd: "/",
    env: { LC_ALL: "C" },
  }).output();
  const text = new TextDecoder();
  return { said: text.decode(stdout) + text.decode(stderr) };
}

async function asNobody(script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("/bin/sh", {
    ...NOBODY,
    args: ["-c", script],
    cwd: "/",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function hasUser(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("id", {
    args: [name],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** Says aloud why not, as the tests are then skipped. */
function isRoot(): boolean {
  if (Deno.uid() === 0) return true;
  Deno.stderr.writeSync(
    new TextEncoder().encode("skipped: privileges of root (not root)\n"),
  );
  return false;
}
