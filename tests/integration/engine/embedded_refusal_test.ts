/** What the embedded server says when it cannot run where it is told to. */
import assert from "node:assert/strict";
import { create } from "tar";
import {
  unpackArchive,
  unpackBinaries,
} from "../../../src/core/database/embedded/binaries.ts";
import { dataDirectory } from "../../../src/core/database/embedded/data_directory.ts";
import {
  clusterProcesses,
  openDatabase,
  openServer,
} from "../../support/embedded.ts";
import { unless } from "../../support/installed.ts";
import { canMountSmallDisk, smallDisk } from "../../support/small_disk.ts";
import { temporaryDirectory } from "../../support/temporary_directory.ts";

const NOT_ROOT = Deno.uid() === 0 ? null : "only root can do this";
const NO_DISK = NOT_ROOT ??
  (await canMountSmallDisk() ? null : "no small disk can be mounted here");

Deno.test({
  ...unless(
    NOT_ROOT,
    "a directory that the unprivileged server cannot reach is named, and what to do",
  ),
  async fn() {
    await using directory = await temporaryDirectory();
    const closed = `${directory.path}/closed`;
    await Deno.mkdir(closed, { mode: 0o700 });
    await assert.rejects(openServer(`${closed}/data`), (error) => {
      assert.ok(error instanceof Error);
      assert.ok(
        error.message.includes(
          `runs as user "nobody" (uid 65534), who may not enter ${closed}.`,
        ),
        error.message,
      );
      assert.ok(error.message.includes("--data-dir /var/lib/bigbrotr"));
      return true;
    });
  },
});

Deno.test("a data directory that is a file is refused", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/file`;
  await Deno.writeTextFile(path, "");
  await assert.rejects(
    openServer(path),
    /Cannot use .*\/file as data directory: .*Choose another one: --data-dir DIR/,
  );
});

Deno.test("a directory where there is no disk is refused for what it is, not as a full disk", async () => {
  await assert.rejects(openServer("/proc/nowhere"), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /Cannot use \/proc\/nowhere as data directory/);
    assert.doesNotMatch(error.message, /disk is full/);
    return true;
  });
});

Deno.test("a cluster of another major is refused, with the way to carry its data over", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await (await openServer(dataDir))[Symbol.asyncDispose]();
  await Deno.writeTextFile(`${dataDir}/postgres/PG_VERSION`, "16\n");
  await assert.rejects(openServer(dataDir), {
    name: "DatabaseError",
    fault: "version",
    message:
      /was made by PostgreSQL 16, and this program brings PostgreSQL 18.*bigbrotr export .*bigbrotr import .*pg_dump or pg_upgrade/,
  });
});

Deno.test("a port in use is named", async () => {
  await using directory = await temporaryDirectory();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const dataDir = `${directory.path}/data`;
  await assert.rejects(openServer(dataDir, { port }), (error) => {
    assert.ok(error instanceof Error);
    assert.ok(error.message.includes(`on port ${port} of 127.0.0.1`));
    assert.match(error.message, /Address already in use/);
    return true;
  });
  assert.deepEqual(clusterProcesses(dataDir), []);
});

Deno.test("a setting of the operator's that PostgreSQL does not know is told by its line", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  await (await openServer(dataDir))[Symbol.asyncDispose]();
  await Deno.writeTextFile(
    `${dataDir}/conf/custom.conf`,
    "shared_bufers = 1GB\n",
  );
  await assert.rejects(openServer(dataDir), /shared_bufers/);
});

Deno.test("on a system without glibc the message names --database", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/data`;
  const { runtime } = dataDirectory(dataDir);
  await Deno.mkdir(runtime, { recursive: true });
  const { initdb } = await unpackBinaries(runtime);
  // What musl lacks is the loader that the programs ask for by its path.
  const program = await Deno.readFile(initdb);
  const loader = new TextEncoder().encode("/lib64/ld-linux-x86-64.so.2");
  const at = indexOf(program, loader);
  assert.ok(at > 0);
  program.set(new TextEncoder().encode("/lib64/ld-nothing"), at);
  await Deno.writeFile(initdb, program);
  await assert.rejects(
    openServer(dataDir),
    /Cannot run the embedded PostgreSQL on this system \(its C library is not glibc\).*--database URL/,
  );
});

Deno.test({
  ...unless(NO_DISK, "a full disk is called one"),
  async fn() {
    for (const mebibytes of [20, 80]) {
      await using disk = await smallDisk(mebibytes);
      await assert.rejects(openServer(`${disk.path}/data`), {
        message: /the disk is full \(\d+ MiB free\)\. Make room/,
      });
    }
  },
});

Deno.test({
  ...unless(
    NO_DISK,
    "an archive that does not fit on the disk is an error, not half unpacked",
  ),
  async fn() {
    await using source = await temporaryDirectory();
    await Deno.writeFile(`${source.path}/a`, new Uint8Array(2 * 1024 * 1024));
    const file = `${source.path}/archive.tar.gz`;
    await create({ file, gzip: true, cwd: source.path }, ["a"]);
    const archive = await Deno.readFile(file);
    await using disk = await smallDisk(1);
    assert.throws(() => unpackArchive(archive, disk.path), { code: "ENOSPC" });
    unpackArchive(archive, source.path);
  },
});

Deno.test({
  ...unless(
    NO_DISK,
    "a disk that fills up stops the writing, and nothing else when there is room again",
  ),
  async fn() {
    await using disk = await smallDisk(300);
    await using database = await openDatabase(`${disk.path}/data`, {
      maxAttempts: 1,
    });
    await database.run((sql) => sql`create table filler (text text)`);
    const ballast = `${disk.path}/ballast`;
    const fill = async () => {
      for (;;) {
        await database.transaction((sql) =>
          sql`insert into filler select repeat(md5(n::text), 100) from generate_series(1, 10000) n`
        );
      }
    };
    await Deno.writeFile(ballast, new Uint8Array(100 * 1024 * 1024));
    // A statement is refused, or, where there is no room even for the log of changes, the server stops and says why.
    let said = "";
    while (!/No space left on device|the disk is full/.test(said)) {
      said = await fill().catch((error) => error.message);
    }
    await Deno.remove(ballast);
    while (!(await database.health()).ok);
    await database.transaction((sql) =>
      sql`insert into filler values ('room')`
    );
    const [row] = await database.run((sql) =>
      sql`select count(*)::int as n from filler where text = 'room'`
    );
    assert.equal(row?.n, 1);
  },
});

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  return bytes.findIndex((_, at) =>
    wanted.every((byte, offset) => bytes[at + offset] === byte)
  );
}
