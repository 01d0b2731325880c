/**
 * Unpacking within a bound: a few bytes of gzip can become gigabytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip as unpack } from "node:zlib";
import { fail, ok, type Result } from "../../../models/result.ts";

const unpackAsync = promisify<
  Uint8Array,
  { maxOutputLength: number },
  Uint8Array
>(unpack);

/** The content of a gzip file, unless it is more than `maxBytes` or no such file. */
export async function gunzip(
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Result<Uint8Array, { readonly detail: string }>> {
  try {
    const options = { maxOutputLength: maxBytes };
    return ok(await unpackAsync(Buffer.from(bytes), options));
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    const detail = isTooLarge
      ? `The file is larger than ${maxBytes} bytes when unpacked`
      : "The file is not gzip, or cut";
    return fail({ detail });
  }
}
