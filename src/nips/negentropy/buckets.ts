/**
 * How a range is cut: into sixteen parts of as good as equal size, or not at all when it is small.
 *
 * @module
 */

const BUCKETS = 16;

/** The ends of the parts, as event numbers; null for a range so small that its ids are named instead. */
export function bucketEnds(from: number, to: number): number[] | null {
  const size = to - from;
  if (size < 2 * BUCKETS) return null;
  const each = Math.floor(size / BUCKETS);
  const larger = size % BUCKETS;
  return Array.from(
    { length: BUCKETS },
    (_, i) => from + each * (i + 1) + Math.min(i + 1, larger),
  );
}
