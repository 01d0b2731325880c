/**
 * Source of an import: a file or a stream, plain or gzip, told apart by what they begin with.
 *
 * @module
 */
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** Something to read. Nothing is held open before or after a loop over `open`. */
export interface Source {
  /** As the user named it. */
  readonly name: string;
  /** The canonical path of a regular file, which can be gone back to; null for streams. */
  readonly path: string | null;
  /** Size on disk, to show progress by; null when unknown. */
  readonly sizeBytes: number | null;
  /** Bytes taken from the disk or the stream so far. */
  takenBytes(): number;
  /** The uncompressed bytes from an offset on; a stream can only be read once, from 0. */
  open(offset: number): AsyncIterable<Uint8Array>;
}

/** The source cannot be read, or is not the gzip it claims to be. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** Names standard input. */
const STANDARD_INPUT = "-";

/** Finds out what `name` is. Throws {@linkcode SourceError} when there is nothing to read. */
export async function findSource(name: string): Promise<Source> {
  if (name === STANDARD_INPUT) {
    return new ByteSource(name, { read: () => Deno.stdin.readable });
  }
  const { isDirectory, isFile, size } = await Deno.stat(name).catch((cause) => {
    throw unreadable(name, cause);
  });
  if (isDirectory) throw unreadable(name, "it is a directory");
  if (!isFile) {
    return new ByteSource(name, { read: (from) => read(name, from) });
  }
  return new ByteSource(name, {
    path: await Deno.realPath(name),
    sizeBytes: size,
    read: (from) => read(name, from),
  });
}

type Read = (from: number) => AsyncIterable<Uint8Array>;

class ByteSource implements Source {
  readonly name: string;
  readonly path: string | null;
  readonly sizeBytes: number | null;
  readonly #read: Read;
  #takenBytes = 0;

  constructor(
    name: string,
    { path = null, sizeBytes = null, read }: {
      readonly path?: string | null;
      readonly sizeBytes?: number | null;
      readonly read: Read;
    },
  ) {
    this.name = name;
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.#read = read;
  }

  takenBytes(): number {
    return this.#takenBytes;
  }

  async *open(offset: number): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#open(offset);
    } catch (cause) {
      throw unreadable(this.name, cause);
    }
  }

  async *#open(offset: number): AsyncGenerator<Uint8Array> {
    if (offset > 0 && this.path !== null && !await isGzip(this.path)) {
      this.#takenBytes = offset;
      yield* this.#counted(offset);
      return;
    }
    this.#takenBytes = 0;
    let skip = offset;
    for await (const bytes of uncompressed(this.#counted(0))) {
      if (bytes.length > skip) yield bytes.subarray(skip);
      skip = Math.max(0, skip - bytes.length);
    }
  }

  async *#counted(from: number): AsyncGenerator<Uint8Array> {
    for await (const bytes of this.#read(from)) {
      this.#takenBytes += bytes.length;
      yield bytes;
    }
  }
}

async function* read(path: string, from: number): AsyncGenerator<Uint8Array> {
  const file = await Deno.open(path);
  if (from > 0) await file.seek(from, Deno.SeekMode.Start);
  // The stream closes the file, at its end and when the loop is left.
  yield* file.readable;
}

async function isGzip(path: string): Promise<boolean> {
  for await (const bytes of read(path, 0)) return beginsAsGzip(bytes);
  return false;
}

/** The bytes as they are, or what they are the gzip of (members in a row included). */
async function* uncompressed(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]();
  const first = await chunks.next();
  async function* all() {
    if (!first.done) yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  if (first.done || !beginsAsGzip(first.value)) yield* all();
  else yield* pipeline(Readable.from(all()), createGunzip(), () => {});
}

function beginsAsGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function unreadable(name: string, cause: unknown): SourceError {
  const why = cause instanceof Deno.errors.NotFound
    ? "there is no such file"
    : cause instanceof Deno.errors.PermissionDenied
    ? "this user may not read it"
    : cause instanceof Error
    ? cause.message
    : String(cause);
  return new SourceError(`Cannot read ${name}: ${why}`, { cause });
}
