/**
 * Lines with a name on the left, as wide as the terminal is.
 *
 * @module
 */

/**
 * Each text behind its name, which takes `label` columns, ended by a newline. What is too wide for `columns` goes on
 * below, under the text; an empty name is for a text that goes on with the line above.
 */
export function labelledLines(
  rows: readonly (readonly [name: string, text: string])[],
  { label, columns }: { readonly label: number; readonly columns: number },
): string {
  const width = Math.max(20, columns - label);
  return rows.flatMap(([name, text]) =>
    wrapped(text, width).map((line, i) =>
      `${(i === 0 ? name : "").padEnd(label)}${line}`.trimEnd() + "\n"
    )
  ).join("");
}

/** Lines of `text`, broken at spaces; a word that is wider than a line has one for itself. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
