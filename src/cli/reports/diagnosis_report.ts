/**
 * Diagnoses of `config check` and `doctor`, as lines for people.
 *
 * @module
 */
import type { Diagnosis, Grade } from "../doctor/diagnosis.ts";
import { labelledLines } from "../terminal/labelled_lines.ts";
import type { Paint } from "../terminal/paint.ts";

const WORDS: Readonly<Record<Grade, string>> = {
  ok: "ok",
  note: "note",
  wrong: "WRONG",
};

/** Width of the grades. */
const LABEL = 6;

/** A paragraph a diagnosis: its grade, what it is about, how that stands, and behind an arrow what to do. */
export function diagnosesText(
  diagnoses: readonly Diagnosis[],
  { columns, paint }: { readonly columns: number; readonly paint: Paint },
): string {
  return diagnoses.map(({ about, grade, text, advice }) => {
    const lines = [
      ...`${about}: ${text}`.split("\n"),
      ...(advice === undefined ? [] : [`→ ${advice}`]),
    ];
    const rows = lines.map((line, index) =>
      [index === 0 ? WORDS[grade] : "", line] as const
    );
    const plain = labelledLines(rows, { label: LABEL, columns });
    return plain.replace(/^\S+/, (word) => painted(word, grade, paint));
  }).join("");
}

function painted(word: string, grade: Grade, paint: Paint): string {
  if (grade === "ok") return paint(word, "good");
  return paint(word, grade === "wrong" ? "bad" : "strong");
}
