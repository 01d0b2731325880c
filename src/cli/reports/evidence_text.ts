/**
 * Evidence in words: how strongly time is proven, what audits found, and what they took back.
 *
 * @module
 */
import type { AuditStatus } from "../../archive/sync/sync_audit.ts";
import {
  STRENGTHS,
  type StrengthShares,
} from "../../archive/sync/sync_coverage.ts";
import { duration, grouped } from "../terminal/numbers.ts";

/** `reconciled 80.0 %, weak 20.0 %`, strongest first; what holds nothing is left out. */
export function strengthsText(shares: StrengthShares): string {
  return STRENGTHS.filter((strength) => shares[strength] > 0)
    .map((strength) => `${strength} ${percent(shares[strength])}`).join(", ") ||
    "nothing";
}

/** `50.0 %`. */
export function percent(share: number): string {
  const tenths = Math.round(share * 1_000);
  return tenths === 0 && share > 0
    ? "< 0.1 %"
    : `${(share * 100).toFixed(1)} %`;
}

/** `timeout 2, withheld 1`. */
export function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${grouped(count)}`).join(", ");
}

/** `3 asked, 2 confirmed, 1 contradicted, took back 2.1 years`. */
export function auditText(
  { asked, confirmed, contradicted, retractedSeconds }: Pick<
    AuditStatus,
    "asked" | "confirmed" | "contradicted" | "retractedSeconds"
  >,
): string {
  const questions = `${grouped(asked)} asked, ${grouped(confirmed)} confirmed`;
  return `${questions}, ${grouped(contradicted)} contradicted${
    tookBack(retractedSeconds)
  }`;
}

/** `, took back 2.1 years`; nothing for nothing. */
export function tookBack(seconds: number): string {
  return seconds === 0 ? "" : `, took back ${duration(seconds)}`;
}
