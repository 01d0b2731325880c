/**
 * Relays that answer no filter without kinds: they are asked for the kinds that are most likely there. What comes is
 * archived, but it proves nothing about the filter that was meant, which stays a gap.
 *
 * @module
 */
import type { NoPage, Walk, WalkFindings } from "./ask.ts";
import { isBroad } from "./kinds.ts";

/**
 * The walk to be made instead of one that failed so; null where kinds are named already, or where the relay has given
 * something without.
 */
export function narrowed(walk: Walk, failure: NoPage): Walk | null {
  const { profile, policy } = walk;
  const isRefusal = failure === "refused" || failure === "restricted";
  if (
    !isRefusal || !isBroad(walk.filter) || profile.broadFilters === "answered"
  ) {
    return null;
  }
  profile.broadFilters = "refused";
  policy.resetLimit();
  return inKinds(walk);
}

/** The walk as it is made where broad filters are known to be refused. */
export function inKinds(walk: Walk): Walk {
  const { filter, profile, findings } = walk;
  return {
    ...walk,
    filter: { ...filter, kinds: profile.likelyKinds() },
    findings: withoutProofs(findings),
  };
}

function withoutProofs(findings: WalkFindings): WalkFindings {
  return {
    prove: (window) => findings.gap(window, "kinds-only"),
    gap: (window, reason) => findings.gap(window, reason),
    contradict: (contradiction) => findings.contradict(contradiction),
    doubt: (eventIds) => findings.doubt(eventIds),
  };
}
