/**
 * The key that was meant where another word was written.
 *
 * @module
 */
import { distance } from "fastest-levenshtein";

const UNIT =
  /(milliseconds|millis|msecs?|ms|seconds|secs?|s|minutes|mins?|m|hours|hrs?|h|days|d|bytes|kb|mb|gb|kib|mib|gib)$/;

/**
 * The known key nearest to `key`, or null when none is near. Another unit (`intervalMs` for `intervalSeconds`),
 * none at all (`timeout` for `timeoutMs`) and another case (`batch_size` for `batchSize`) are near.
 */
export function nearestKey(
  key: string,
  known: readonly string[],
): string | null {
  const same = known.find((one) => flat(one) === flat(key)) ??
    known.find((one) => stem(one) === stem(key));
  if (same !== undefined) return same;
  const scored = known
    .map((one) => ({ one, far: distance(flat(one), flat(key)) }))
    .sort((a, b) => a.far - b.far);
  const best = scored[0];
  if (best === undefined) return null;
  return best.far <= Math.max(2, Math.floor(key.length / 3)) ? best.one : null;
}

function flat(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, "");
}

function stem(key: string): string {
  const bare = flat(key).replace(UNIT, "");
  return bare === "" ? flat(key) : bare;
}
