/**
 * Target of an export: a file that appears when it is whole, compressed when its name ends in `.gz`.
 *
 * @module
 */
import { whyUnwritable } from "../core/config/config_error.ts";

/** Disposed before `finish`, it leaves nothing behind. */
export interface ExportTarget extends AsyncDisposable {
  /** Returns when there is room for more. */
  write(text: string): Promise<void>;
  /** Flushes, and puts the file in its place; one that was there is replaced. */
  finish(): Promise<void>;
}

/** Opens `path` for writing. What forbids that, or a later write, is thrown. Pipes and devices are written to directly. */
export async function openTarget(path: string): Promise<ExportTarget> {
  const isDirect = await isSpecial(path);
  const writtenPath = isDirect ? path : `${path}.part`;
  const create = !isDirect;
  const file = await Deno.open(writtenPath, {
    write: true,
    create,
    truncate: create,
  }).catch((cause) => {
    throw unwritable(path, cause);
  });
  return new FileTarget({ file, path, writtenPath });
}

class FileTarget implements ExportTarget {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #path: string;
  readonly #writtenPath: string;
  #finished = false;
  /** Why the file took no more. A compressor before it knows only that it was stopped. */
  #fault: unknown = undefined;

  constructor({ file, path, writtenPath }: {
    readonly file: Deno.FsFile;
    readonly path: string;
    readonly writtenPath: string;
  }) {
    const heard = this.#hearing(file.writable);
    this.#writer = (path.endsWith(".gz") ? gzipTo(heard) : heard).getWriter();
    this.#path = path;
    this.#writtenPath = writtenPath;
  }

  async write(text: string): Promise<void> {
    await this.#explained(this.#writer.write(this.#encoder.encode(text)));
  }

  async finish(): Promise<void> {
    await this.#explained(this.#writer.close());
    if (this.#writtenPath !== this.#path) {
      await this.#explained(Deno.rename(this.#writtenPath, this.#path));
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

  /** The file, with its first fault kept. */
  #hearing(file: WritableStream<Uint8Array>): WritableStream<Uint8Array> {
    const writer = file.getWriter();
    const kept = (error: unknown) => {
      this.#fault ??= error;
      throw error;
    };
    return new WritableStream({
      write: (bytes) => writer.write(bytes).catch(kept),
      close: () => writer.close().catch(kept),
      abort: (reason) => writer.abort(reason),
    });
  }

  async #explained(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw unwritable(this.#path, this.#fault ?? error);
    }
  }
}

function unwritable(path: string, cause: unknown): Error {
  const isClosed = cause instanceof Deno.errors.NotCapable;
  const advice = isClosed ? ": choose another place, or pipe it out of -" : "";
  return new Error(`Cannot write ${path}: ${whyUnwritable(cause)}${advice}`);
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
    throw unwritable(path, error);
  }
}
