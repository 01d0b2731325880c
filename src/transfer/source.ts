/**
 * Source of an import: a file or a stream, of lines or a JSON array, plain or compressed, told apart by what they
 * begin with.
 *
 * @module
 */
import { isStandardInput } from "../base/standard_streams.ts";
import { whyUnreadable } from "../core/config/config_error.ts";
import { ByteReader } from "./byte_reader.ts";
import { DamagedError, decompressed } from "./decompress.ts";
import { fileShape, WrongShapeError } from "./file_shape.ts";
import { elementsAsLines } from "./json_array.ts";

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
  /**
   * The lines from an offset on, uncompressed; elements of an array are lines, too. A stream can only be read once, from
   * 0. Throws {@linkcode SourceError} when all that can be read was given.
   */
  open(offset: number): AsyncIterable<Uint8Array>;
}

/** The source cannot be read, is damaged, or is nothing that can hold events. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** Finds out what `name` is. Throws {@linkcode SourceError} when there is nothing to read. */
export async function findSource(name: string): Promise<Source> {
  if (isStandardInput(name)) {
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
    if (offset > 0 && this.path !== null && await isPlain(this.path)) {
      this.#takenBytes = offset;
      yield* this.#counted(offset);
      return;
    }
    this.#takenBytes = 0;
    let skip = offset;
    await using input = new ByteReader(this.#counted(0));
    for await (const bytes of linesOf(input)) {
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

/** Whether offsets are those of the file itself. */
async function isPlain(path: string): Promise<boolean> {
  await using input = new ByteReader(read(path, 0));
  return await fileShape(input) === null;
}

/** The bytes as they are, or what they are the compression or the array of. */
async function* linesOf(input: ByteReader): AsyncGenerator<Uint8Array> {
  const shape = await fileShape(input);
  switch (shape) {
    case null:
      yield* input.rest();
      return;
    case "array":
      yield* elementsAsLines(input);
      return;
    case "gzip":
    case "zstd": {
      await using packed = new ByteReader(decompressed(input, shape));
      yield* linesOf(packed);
      return;
    }
  }
}

function unreadable(name: string, cause: unknown): SourceError {
  const why = cause instanceof DamagedError || cause instanceof WrongShapeError
    ? `it ${cause.message}`
    : typeof cause === "string"
    ? cause
    : whyUnreadable(cause) +
      (cause instanceof Deno.errors.NotCapable ? ", or pipe it in as -" : "");
  return new SourceError(`Cannot read ${name}: ${why}`, { cause });
}
