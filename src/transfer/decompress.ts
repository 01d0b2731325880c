/**
 * Decompression that gives every byte that can be had: node:zlib drops what a failing write had already decompressed,
 * and Deno's takes the end of a zstd frame for the end of the file.
 *
 * @module
 */
import {
  constants,
  crc32,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import type { ByteReader } from "./byte_reader.ts";
import { fileShape } from "./file_shape.ts";

/** The compressed bytes are cut or damaged; all before the fault was given. The message goes on from "it". */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
}

/**
 * The bytes that were compressed, of all members (RFC 1952) or frames (RFC 8878) in a row. NULs behind the last one are
 * padding. Throws {@linkcode DamagedError} when everything before the damage was given.
 */
export async function* decompressed(
  input: ByteReader,
  compression: "gzip" | "zstd",
): AsyncGenerator<Uint8Array> {
  const part = compression === "gzip" ? gzipMember : zstdFrame;
  do yield* part(input); while (await hasAnother(input, compression));
}

async function hasAnother(
  input: ByteReader,
  compression: "gzip" | "zstd",
): Promise<boolean> {
  // Tapes and some tools fill up the last block.
  while ((await input.peek(1))[0] === 0) await input.take(1);
  if ((await input.peek(1)).length === 0) return false;
  const shape = await fileShape(input).catch(() => null);
  if (shape === compression) return true;
  throw new DamagedError(
    `goes on behind the end of its ${compression} data with something else`,
  );
}

async function* gzipMember(input: ByteReader): AsyncGenerator<Uint8Array> {
  await skipGzipHeader(input);
  let sum = 0;
  let length = 0;
  for await (const bytes of engineOutput(input, createInflateRaw(SYNC))) {
    sum = crc32(bytes, sum);
    length += bytes.length;
    yield bytes;
  }
  const trailer = await input.take(8);
  if (trailer.length < 8) throw cut();
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  if (
    view.getUint32(0, true) !== sum ||
    view.getUint32(4, true) !== length % 2 ** 32
  ) throw new DamagedError("is a gzip whose checksum does not match");
}

/** Without it the end of the input is an error that takes the last output along. */
const SYNC = { finishFlush: constants.Z_SYNC_FLUSH };

/** RFC 1952, section 2.3. */
async function skipGzipHeader(input: ByteReader): Promise<void> {
  const head = await input.take(10);
  if (head.length < 10) throw cut();
  const flags = head[3] ?? 0;
  if (flags & 4) {
    const [low = 0, high = 0] = await input.take(2);
    await input.take(low + 256 * high);
  }
  if (flags & 8) await skipText(input);
  if (flags & 16) await skipText(input);
  if (flags & 2) await input.take(2);
}

async function skipText(input: ByteReader): Promise<void> {
  let byte: number | undefined;
  do [byte] = await input.take(1); while (byte !== 0 && byte !== undefined);
}

function zstdFrame(input: ByteReader): AsyncGenerator<Uint8Array> {
  return engineOutput(input, createZstdDecompress());
}

type Engine = ReturnType<typeof createInflateRaw | typeof createZstdDecompress>;

/** Bytes given to the engine at a time; deflate makes a thousand times as many of them at most. */
const SLICE_BYTES = 16 * 1024;

/**
 * Bytes behind the last ones of the input: an engine that is done leaves them, one that is not takes them. In one write
 * with the last ones, since zstd takes what comes in a later write for the next frame.
 */
const PROBE = new Uint8Array(8);

/** The output of the engine up to the end of its data; what comes behind stays in the reader. */
async function* engineOutput(
  input: ByteReader,
  engine: Engine,
): AsyncGenerator<Uint8Array> {
  const run = new EngineRun(engine);
  let given = 0;
  try {
    while (!run.isDone) {
      const slice = await input.some(SLICE_BYTES);
      const isLast = (await input.peek(1)).length === 0;
      await run.write(isLast ? new Uint8Array([...slice, ...PROBE]) : slice);
      given += slice.length;
      if (isLast && !(run.isDone && run.taken <= given)) throw cut();
      yield* run.output();
      if (run.failure !== null) {
        throw new DamagedError(`is damaged (${run.failure})`);
      }
      // The bytes that the engine did not want are the next reader's.
      const rest = run.isDone ? given - run.taken : 0;
      input.putBack(slice.subarray(slice.length - rest));
    }
  } finally {
    engine.destroy();
  }
}

/** One stream of node:zlib, with its events as state. */
class EngineRun {
  isDone = false;
  failure: string | null = null;
  readonly #engine: Engine;
  readonly #over = Promise.withResolvers<void>();
  #output: Uint8Array[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.on("data", (bytes: Uint8Array) => this.#output.push(bytes));
    engine.on("end", () => this.#end(null));
    engine.on("error", (error: Error) => this.#end(error.message));
  }

  /** Input bytes that the engine has used. */
  get taken(): number {
    return this.#engine.bytesWritten;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#engine.write(bytes, () => written.resolve());
    await Promise.race([written.promise, this.#over.promise]);
  }

  output(): Uint8Array[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  #end(failure: string | null): void {
    this.isDone = true;
    this.failure = failure;
    this.#over.resolve();
  }
}

function cut(): DamagedError {
  return new DamagedError("ends in the middle of its compressed data");
}
