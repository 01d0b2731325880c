/**
 * A plain text table: columns as wide as their widest cell, numbers to the right.
 *
 * @module
 */

/**
 * The rows under their head, two spaces between columns, every line ended by a newline. Of a table wider than `columns`
 * the rightmost columns are left out.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = Infinity,
): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? "").length))
  );
  const ends = widths.map((_, column) =>
    widths.slice(0, column + 1).reduce((end, width) => end + width + 2, -2)
  );
  const shown = ends.filter((end, column) => column === 0 || end <= columns);
  const isNumber = head.map((_, column) =>
    rows.length > 0 &&
    rows.every((row) => /^[~\d.,–-]*$/.test(row[column] ?? ""))
  );
  return all.map((row) =>
    row.slice(0, shown.length).map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd() + "\n"
  ).join("");
}
