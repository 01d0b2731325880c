/**
 * Plots of block characters, to be looked at rather than read.
 *
 * @module
 */

/** By eighths of a line. */
const BLOCKS = " ▁▂▃▄▅▆▇█";
const EIGHTHS = 8;

/**
 * A bar for each value, in order, from 0 up to the highest, on so many lines. More values than `columns` share bars: each is
 * then the mean of its values. What is not 0 is never drawn as nothing.
 */
export function blockPlot(
  values: readonly number[],
  { columns, lines }: { readonly columns: number; readonly lines: number },
): string[] {
  const bars = values.length <= columns ? values : means(values, columns);
  const highest = Math.max(...bars, 0);
  const heights = bars.map((bar) =>
    bar <= 0 ? 0 : Math.max(1, Math.round(bar / highest * lines * EIGHTHS))
  );
  return Array.from({ length: lines }, (_, line) => {
    const below = (lines - 1 - line) * EIGHTHS;
    return heights.map((height) =>
      BLOCKS[Math.min(EIGHTHS, Math.max(0, height - below))]
    ).join("").trimEnd();
  });
}

function means(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const first = Math.floor(i * values.length / count);
    const end = Math.floor((i + 1) * values.length / count);
    const shared = values.slice(first, end);
    return shared.reduce((sum, value) => sum + value, 0) / shared.length;
  });
}
