/**
 * An MMDB file: opened when it is there, opened anew when it changes on disk, fetched anew when it grows old.
 *
 * @module
 */
import {
  whyUnreadable,
  whyUnwritable,
} from "../../../core/config/config_error.ts";
import { fail, ok, type Result } from "../../../models/result.ts";
import {
  type Mmdb,
  type MmdbFault,
  openMmdb,
} from "../../../nips/nip66/mmdb.ts";
import type { Dialer } from "../../../transport/dialer.ts";
import { failureText } from "../../../transport/failure.ts";
import { gunzip } from "./gunzip.ts";

export interface MmdbFileOptions {
  readonly path: string;
  /** Without one the file is somebody else's to replace. */
  readonly url: string | undefined;
  readonly refreshSeconds: number;
  /** Null: any age will do. */
  readonly maxAgeDays: number | null;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export class MmdbFile {
  readonly #options: MmdbFileOptions;
  /** The stamp of the file that was opened, or tried, last. */
  #seen: string | null = null;
  #database: Result<Mmdb, MmdbFault>;

  constructor(options: MmdbFileOptions) {
    this.#options = options;
    this.#database = fail({ detail: `${options.path} was not opened yet` });
  }

  /** The database, or why there is none. A file that grew too old meanwhile is not believed any more. */
  get database(): Result<Mmdb, MmdbFault> {
    const { maxAgeDays } = this.#options;
    if (!this.#database.ok || maxAgeDays === null) return this.#database;
    const { type, builtAt } = this.#database.value;
    const days = Math.floor((Date.now() / 1_000 - builtAt) / 86_400);
    return days <= maxAgeDays ? this.#database : fail({
      detail:
        `The database ${type} must not be older than ${maxAgeDays} days: it is ${days}`,
    });
  }

  /** Opens the file when it is another one than before. True when it was opened, or the attempt failed anew. */
  async look(): Promise<boolean> {
    const { path } = this.#options;
    const seen = await whichFile(path);
    if (seen === this.#seen) return false;
    this.#seen = seen;
    const bytes = await read(path);
    this.#database = bytes.ok ? openMmdb(bytes.value) : bytes;
    return true;
  }

  /** Whether there is an address to fetch it from, and it is missing, unusable or was written too long ago. */
  async isDue(): Promise<boolean> {
    const { path, url, refreshSeconds } = this.#options;
    if (url === undefined) return false;
    if (!this.database.ok) return true;
    const writtenAt = await modifiedAt(path);
    return Date.now() / 1_000 - writtenAt >= refreshSeconds;
  }

  /** Fetches the file and puts it in the place of the old one, if it is good. */
  async fetch(
    dialer: Dialer,
    signal: AbortSignal,
  ): Promise<Result<Mmdb, MmdbFault>> {
    const { path, url = "", maxBytes, timeoutMs } = this.#options;
    const bounds = { signal, timeoutMs, maxBytes, accept: "*/*" };
    const answer = await dialer.get(url, bounds);
    if (!answer.ok) return fail({ detail: failureText(answer.failure) });
    const { status, bytes } = answer.value;
    if (status !== 200) {
      return fail({ detail: `The answer is ${status}, not 200` });
    }
    const isPacked = new URL(url).pathname.endsWith(".gz");
    const unpacked = isPacked ? await gunzip(bytes, maxBytes) : ok(bytes);
    if (!unpacked.ok) return unpacked;
    const { maxAgeDays } = this.#options;
    const fetched = openMmdb(
      unpacked.value,
      maxAgeDays === null ? {} : { maxAgeDays },
    );
    if (!fetched.ok) return fetched;
    const written = await replace(path, unpacked.value);
    return written.ok ? fetched : written;
  }
}

/** A new file, or the same one written anew, has another text. */
async function whichFile(path: string): Promise<string> {
  try {
    const { mtime, size, ino } = await Deno.stat(path);
    return `${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    return whyUnreadable(error);
  }
}

async function modifiedAt(path: string): Promise<number> {
  try {
    return ((await Deno.stat(path)).mtime?.getTime() ?? 0) / 1_000;
  } catch {
    return 0;
  }
}

async function read(path: string): Promise<Result<Uint8Array, MmdbFault>> {
  try {
    return ok(await Deno.readFile(path));
  } catch (error) {
    return fail({ detail: `Cannot read ${path}: ${whyUnreadable(error)}` });
  }
}

/** Readers see the old file or the new one, never half of it, and several processes do not meet in one. */
async function replace(
  path: string,
  bytes: Uint8Array,
): Promise<Result<null, MmdbFault>> {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(draft, bytes);
    await Deno.rename(draft, path);
    return ok(null);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    const detail = `Cannot write ${path}: ${whyUnwritable(error)}`;
    return fail({ detail });
  }
}
