/**
 * A plain text table: columns as wide as their widest cell, numbers to the right.
 *
 * @module
 */

/** The rows under their head, two spaces between columns, every line ended by a newline. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? "").length))
  );
  const isNumber = head.map((_, column) =>
    rows.length > 0 &&
    rows.every((row) => /^[~\d.,–-]*$/.test(row[column] ?? ""))
  );
  return all.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd() + "\n"
  ).join("");
}
