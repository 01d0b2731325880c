/**
 * Target of an export: a file that appears when it is whole, compressed when its name ends in `.gz`.
 *
 * @module
 */
import { errorText } from "../base/error_text.ts";

/** Disposed before `finish`, it leaves nothing behind. */
export interface ExportTarget extends AsyncDisposable {
  /** Returns when there is room for more. */
  write(text: string): Promise<void>;
  /** Flushes, and puts the file in its place; one that was there is replaced. */
  finish(): Promise<void>;
}

/** Opens `path` for writing, and throws what forbids it. Pipes and devices are written to directly. */
export async function openTarget(path: string): Promise<ExportTarget> {
  const direct = await isSpecial(path);
  const writtenPath = direct ? path : `${path}.part`;
  const file = await openFile(path, { writtenPath, direct });
  const stream = path.endsWith(".gz") ? gzipTo(file.writable) : file.writable;
  return new FileTarget({ stream, path, writtenPath });
}

async function openFile(
  path: string,
  { writtenPath, direct }: {
    readonly writtenPath: string;
    readonly direct: boolean;
  },
): Promise<Deno.FsFile> {
  const create = !direct;
  try {
    return await Deno.open(writtenPath, {
      write: true,
      create,
      truncate: create,
    });
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such directory"
      : errorText(cause);
    throw new Error(`Cannot write ${path}: ${why}`);
  }
}

class FileTarget implements ExportTarget {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #path: string;
  readonly #writtenPath: string;
  #finished = false;

  constructor({ stream, path, writtenPath }: {
    readonly stream: WritableStream<Uint8Array>;
    readonly path: string;
    readonly writtenPath: string;
  }) {
    this.#writer = stream.getWriter();
    this.#path = path;
    this.#writtenPath = writtenPath;
  }

  write(text: string): Promise<void> {
    return this.#writer.write(this.#encoder.encode(text));
  }

  async finish(): Promise<void> {
    await this.#writer.close();
    if (this.#writtenPath !== this.#path) {
      await Deno.rename(this.#writtenPath, this.#path);
    }
    this.#finished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished) return;
    await this.#writer.abort().catch(() => {});
    if (this.#writtenPath !== this.#path) {
      await Deno.remove(this.#writtenPath).catch(() => {});
    }
  }
}

/** A stream that ends when the compressed bytes have been written. */
function gzipTo(
  file: WritableStream<Uint8Array>,
): WritableStream<Uint8Array> {
  const gzip = new CompressionStream("gzip");
  const written = gzip.readable.pipeTo(file);
  const writer = gzip.writable.getWriter();
  // The next wait meets a full disk; until then its rejection must not count as unhandled.
  written.catch(() => {});
  return new WritableStream({
    write: (bytes) => writer.write(new Uint8Array(bytes)),
    async close() {
      await writer.close();
      await written;
    },
    async abort(reason) {
      await writer.abort(reason);
      await written.catch(() => {});
    },
  });
}

async function isSpecial(path: string): Promise<boolean> {
  try {
    return !(await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
