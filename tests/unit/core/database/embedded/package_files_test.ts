import { equal } from "node:assert/strict";
import {
  isNeeded,
  packageLock,
  platformPackage,
} from "../../../../../src/core/database/embedded/package_files.ts";

Deno.test("platformPackage() knows the platforms of npm, and no other", () => {
  equal(platformPackage("linux", "x86_64"), "linux-x64");
  equal(platformPackage("darwin", "aarch64"), "darwin-arm64");
  equal(platformPackage("windows", "x86_64"), null);
  equal(platformPackage("freebsd", "x86_64"), null);
});

Deno.test("isNeeded() keeps what a server needs and drops the rest", () => {
  const needed = [
    "bin/postgres",
    "bin/initdb",
    "lib/libpq.so.5.18",
    "lib/libicudata.so.60.2",
    "lib/libpq.5.dylib",
    "lib/postgresql/plpgsql.so",
    "lib/postgresql/btree_gin.dylib",
    "lib/postgresql/dict_snowball.so",
    "share/postgresql/postgres.bki",
    "share/postgresql/timezone/Europe/Rome",
    "share/postgresql/extension/pgcrypto.control",
    "share/postgresql/extension/pgcrypto--1.2--1.3.sql",
    "share/postgresql/tsearch_data/english.stop",
  ];
  const dropped = [
    "lib/libpq.a",
    "lib/libecpg.so.6.18",
    "lib/pkgconfig/libpq.pc",
    "lib/postgresql/plperl.so",
    "lib/postgresql/pgxs/src/makefiles/pgxs.mk",
    "share/postgresql/extension/postgis.control",
    "share/postgresql/extension/btree_gist_more--1.0.sql",
    "share/postgresql/tsearch_data/ispell_sample.dict",
    "include/libpq-fe.h",
  ];
  for (const path of needed) equal(isNeeded(path), true, path);
  for (const path of dropped) equal(isNeeded(path), false, path);
});

Deno.test("packageLock() pins the bytes of every platform", () => {
  for (
    const platform of ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"]
  ) {
    const lock = JSON.parse(packageLock(platform));
    const [entry] = Object.values<{ integrity: string }>(lock.npm);
    equal(entry?.integrity.startsWith("sha512-"), true, platform);
  }
});
