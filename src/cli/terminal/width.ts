/**
 * Widths of text on a terminal, whose colours take no room and some of whose characters take two columns.
 *
 * @module
 */

// deno-lint-ignore no-control-regex
const COLOUR = /\x1b\[[\d;]*m/g;

/** East Asian wide characters and emoji (UAX #11), as terminals show them. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

const NONE = /\p{M}|\u200d/u;

const RESET = "\x1b[0m";

/** Columns that a line takes. */
export function displayWidth(line: string): number {
  let columns = 0;
  for (const character of line.replace(COLOUR, "")) {
    columns += characterWidth(character);
  }
  return columns;
}

/** As much of a line as fits, its colours ended. */
export function cutToWidth(line: string, columns: number): string {
  if (displayWidth(line) <= columns) return line;
  let cut = "";
  let taken = 0;
  let at = 0;
  for (const { index, 0: code } of line.matchAll(COLOUR)) {
    cut += piece(line.slice(at, index)) + code;
    at = index + code.length;
  }
  cut += piece(line.slice(at));
  return cut.includes("\x1b") ? cut + RESET : cut;

  /** The part of plain text for which there is still room. */
  function piece(text: string): string {
    let part = "";
    for (const character of text) {
      taken += characterWidth(character);
      if (taken > columns) break;
      part += character;
    }
    return part;
  }
}

function characterWidth(character: string): number {
  return WIDE.test(character) ? 2 : NONE.test(character) ? 0 : 1;
}
