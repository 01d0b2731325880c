/**
 * How far a file has been imported, kept in the database beside what was imported from it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Database } from "../core/database/connection/database.ts";
import {
  deleteState,
  getState,
  type NewState,
} from "../archive/service_state.ts";
import type { LineBlock, Position } from "./line_blocks.ts";
import type { Source } from "./source.ts";

/** A file is known by its path, and by what stands before the place that was reached. */
const checkpoint = z.object({
  offset: z.int().min(0),
  line: z.int().min(0),
  tailBytes: z.int().min(1),
  tailSha256: z.string(),
});

const KEY = { serviceName: "import", stateType: "checkpoint" } as const;

/** The position at which a source begins. */
export const SOURCE_START: Position = { offset: 0, line: 0 };

/** The position to go on from; the beginning of a stream, of a new file, and of one that was rewritten since. */
export async function findStart(
  database: Database,
  source: Source,
): Promise<Position> {
  if (source.path === null) return SOURCE_START;
  const [state] = await getState(database, { ...KEY, stateKey: source.path });
  const parsed = checkpoint.safeParse(state?.value);
  if (!parsed.success) return SOURCE_START;
  const { offset, line, tailBytes, tailSha256 } = parsed.data;
  const tail = await readAt(source, offset - tailBytes, tailBytes);
  return sha256(tail) === tailSha256 ? { offset, line } : SOURCE_START;
}

/** The state to store in one transaction with the events of a block; none when there is nothing to go back to. */
export function checkpointAfter(source: Source, block: LineBlock): NewState[] {
  const { end, tail } = block;
  if (source.path === null || tail.length === 0) return [];
  const value: z.output<typeof checkpoint> = {
    ...end,
    tailBytes: tail.length,
    tailSha256: sha256(tail),
  };
  return [{ ...KEY, stateKey: source.path, value }];
}

/** Has the next import of the file begin anew. */
export async function forgetCheckpoint(
  database: Database,
  { path }: Source,
): Promise<void> {
  if (path !== null) await deleteState(database, [{ ...KEY, stateKey: path }]);
}

/** Up to `length` bytes; fewer where the source ends before. */
async function readAt(
  source: Source,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const found = new Uint8Array(length);
  let filled = 0;
  for await (const bytes of source.open(offset)) {
    const part = bytes.subarray(0, length - filled);
    found.set(part, filled);
    filled += part.length;
    if (filled === length) break;
  }
  return found.subarray(0, filled);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
