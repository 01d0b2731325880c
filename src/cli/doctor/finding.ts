/**
 * What was looked at, how it stands, and what to do about it: for `config check` and `doctor`.
 *
 * @module
 */

/** `note`: works now, or may work when it is needed; `wrong`: does not. */
export type Grade = "ok" | "note" | "wrong";

export interface Finding {
  /** In a word or two: `finder`, `disk`. */
  readonly about: string;
  readonly grade: Grade;
  /** Sentences, or lines of a list. */
  readonly text: string;
  /** What to do, as an imperative; none when all is well. */
  readonly advice?: string;
}

export function ok(about: string, text: string): Finding {
  return { about, grade: "ok", text };
}

export function note(about: string, text: string, advice?: string): Finding {
  return { about, grade: "note", text, ...(advice && { advice }) };
}

export function wrong(about: string, text: string, advice?: string): Finding {
  return { about, grade: "wrong", text, ...(advice && { advice }) };
}

export function isWrong({ grade }: Finding): boolean {
  return grade === "wrong";
}
