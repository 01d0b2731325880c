/**
 * Runs of adversaries as text: one line each, and all there is to know where something is wrong.
 *
 * @module
 */
import type { AdversaryRun } from "../adversary_sync.ts";

/** A heading for `line`. */
export const HEADING =
  "false  missing  requests  received  of  seconds  complete  accusations  seed  transformers";

/** A run in one line. */
export function line(run: AdversaryRun): string {
  const { spec, falseClaims, missing, accusations, syncs, isHonest } = run;
  const sum = (of: (sync: AdversaryRun["syncs"][number]) => number) =>
    syncs.reduce((total, sync) => total + of(sync), 0);
  return [
    String(falseClaims.length).padStart(5),
    String(missing.length).padStart(7),
    String(sum(({ requests }) => requests)).padStart(8),
    String(sum(({ received }) => received)).padStart(8),
    String(run.obtainable).padStart(6),
    run.seconds.toFixed(1).padStart(5),
    syncs.at(-1)?.complete ? "complete" : "        ",
    isHonest ? "honest:" : "       ",
    accusations.join(",") || "-",
    String(spec.seed),
    namesOf(run),
  ].join("  ");
}

/** What is wrong with a run, with the spec that plays it again; empty when nothing is. */
export function complaint(run: AdversaryRun): string {
  const { spec, falseClaims, missing, accusations, isHonest } = run;
  const claims = falseClaims.slice(0, 10).map(({ event, shownBy, proofs }) =>
    `  claimed and not stored: ${event.created_at} kind ${event.kind} ` +
    `${event.id.slice(0, 8)} by ${JSON.stringify(proofs)}, ` +
    `shown by ${JSON.stringify(shownBy)}`
  );
  const more = falseClaims.length - claims.length;
  const lines = [
    ...claims,
    ...(more > 0 ? [`  … and ${more} more`] : []),
    ...(isHonest && accusations.length > 0
      ? [`  an honest relay is accused: ${accusations.join(", ")}`]
      : []),
  ];
  if (lines.length === 0) return "";
  return [
    `seed ${spec.seed}: ${falseClaims.length} false claims, ` +
    `${missing.length} missing in gaps, of ${run.obtainable}: ${namesOf(run)}`,
    ...lines,
    `  spec: ${JSON.stringify(spec)}`,
  ].join("\n");
}

function namesOf({ spec: { transformers } }: AdversaryRun): string {
  return transformers.map(({ name, parameters }) => {
    const values = Object.values(parameters);
    return values.length === 0 ? name : `${name} (${values.join(", ")})`;
  }).join(" + ") || "none";
}
