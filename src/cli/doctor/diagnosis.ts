/**
 * What was looked at, how it stands, and what to do about it: for `config check` and `doctor`.
 *
 * @module
 */

/** `note`: works now, or may work when it is needed; `wrong`: does not. */
export type Grade = "ok" | "note" | "wrong";

export interface Diagnosis {
  /** In a word or two: `finder`, `disk`. */
  readonly about: string;
  readonly grade: Grade;
  /** Sentences, or lines of a list. */
  readonly text: string;
  /** What to do, as an imperative; none when all is well. */
  readonly advice?: string;
}

export function sound(about: string, text: string): Diagnosis {
  return { about, grade: "ok", text };
}

export function note(about: string, text: string, advice?: string): Diagnosis {
  return { about, grade: "note", text, ...(advice && { advice }) };
}

export function wrong(about: string, text: string, advice?: string): Diagnosis {
  return { about, grade: "wrong", text, ...(advice && { advice }) };
}

export function isWrong({ grade }: Diagnosis): boolean {
  return grade === "wrong";
}
