/**
 * Which of the events that were found may be served: decided by `event_served` (`33_served.sql`), a page at a time.
 *
 * @module
 */
import { type ServedView, vanishUrl } from "../visibility/served_view.ts";
import { type EventKey, packKeys, unpackKeys } from "./event_key.ts";
import type { ReadSteps } from "./read_steps.ts";

/** Those of the keys that the view has, in their order. */
export async function servedKeys(
  steps: ReadSteps,
  keys: readonly EventKey[],
  { viewers, ownUrl, allVersions }: ServedView,
): Promise<readonly EventKey[]> {
  if (keys.length === 0) return keys;
  const list = `{${viewers.map((key) => `"\\\\x${key}"`).join()}}`;
  const url = ownUrl === null ? null : vanishUrl(ownUrl);
  const { served } = await steps.run(async (sql) => {
    const [row] = await sql<{ served: Uint8Array }[]>`
      select event_keys_served(${packKeys(keys)}::bytea, ${list}::text::bytea[],
        ${url}::text, ${allVersions}::boolean) as served`;
    return { served: row!.served, work: keys.length };
  });
  return unpackKeys(served);
}
