/**
 * The moments of claimed time that an audit asks about: first those that stood out in the walk, then drawn ones.
 *
 * @module
 */
import { BEGINNING, type Window } from "../../models/window.ts";
import type { Shape } from "./shape.ts";
import type { AuditSubject } from "./subject.ts";

/** A moment to ask about, Unix seconds, and the silence of which it is the middle, if any. */
export interface Moment {
  readonly at: number;
  readonly silence: Window | null;
}

/** 60 to this power is some twenty years, seconds. */
const MAX_AGE_EXPONENT = 5;

/** Draws moments. The moments of the rhythm are used up in their order. */
export class Moments {
  readonly #subject: Pick<AuditSubject, "claimed" | "rhythm">;
  readonly #random: () => number;
  #silences = 0;
  #dense = 0;

  constructor(
    subject: Pick<AuditSubject, "claimed" | "rhythm">,
    random: () => number,
  ) {
    this.#subject = subject;
    this.#random = random;
  }

  /** A moment for a question of this shape; null where nothing is claimed. */
  draw(shape: Shape): Moment | null {
    const silence = this.#silenceFor(shape);
    if (silence !== null) return { at: middleOf(silence), silence };
    const at = this.#momentFor(shape);
    return at === null ? null : { at, silence };
  }

  /** One of the longest silences that were seen, for questions that are about them. */
  #silenceFor(shape: Shape): Window | null {
    if (!isAboutSilence(shape)) return null;
    return this.#subject.rhythm.silences[this.#silences++ >> 1] ?? null;
  }

  /**
   * A moment of claimed time: first those that stood out, then any, so that long silences are found; or one of recent
   * ages, where events lie close.
   */
  #momentFor(shape: Shape): number | null {
    const top = this.#subject.claimed.at(-1)?.until;
    if (top === undefined) return null;
    if (shape === "future") return top;
    const known = this.#knownFor(shape);
    if (known !== undefined) return known;
    if (!isAboutSilence(shape) && this.#random() < 1 / 2) {
      const age = Math.floor(60 ** (this.#random() * MAX_AGE_EXPONENT));
      return Math.max(0, top - age);
    }
    return this.#anywhere(top);
  }

  #knownFor(shape: Shape): number | undefined {
    const { dense, moments } = this.#subject.rhythm;
    if (shape === "narrow") return dense[this.#dense++];
    return shape === "sample" || shape === "kinds"
      ? moments[Math.floor(this.#random() * moments.length)]
      : undefined;
  }

  /** A moment of claimed time, each second of which is as likely as any other. */
  #anywhere(top: number): number {
    const { claimed } = this.#subject;
    const spans = claimed.map(({ since, until }) =>
      until - Math.min(until, Math.max(since, BEGINNING))
    );
    let left = this.#random() * spans.reduce((sum, span) => sum + span, 0);
    for (const [i, span] of spans.entries()) {
      if (left <= span) return claimed[i]!.until - Math.floor(left);
      left -= span;
    }
    return top;
  }
}

function isAboutSilence(shape: Shape): boolean {
  return shape === "silence" || shape === "deep";
}

function middleOf({ since, until }: Window): number {
  return since + ((until - since) >> 1);
}
