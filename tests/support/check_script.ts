/**
 * A scripted year of checks, and its history worked out the slow way: second by second of what each check says.
 *
 * @module
 */
import type { RelayCheck } from "../../src/archive/checks.ts";

/** A check as it is stored, with nothing left open. */
export interface ScriptedCheck extends RelayCheck {
  readonly failure: string | null;
}

/** For how long a check speaks when no other follows; the same constant as in the SQL. */
const MAX_GAP = 26 * 3600;

const DAY = 86_400;

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * The checks of one relay within [since, until), in order: irregular, rarer while it is offline, with holes of days
 * in which nobody looked. Relays differ: steady, flapping, never there, there for a part of the time only.
 */
export function scriptedChecks(
  relayId: number,
  { since, until }: { readonly since: number; readonly until: number },
): ScriptedCheck[] {
  const random = randomNumbers(relayId);
  const turns = [0.002, 0.02, 0.4][relayId % 3]!;
  const isDead = relayId % 10 === 9;
  const first = since + (relayId % 4 === 3 ? random() * 200 : random()) * DAY;
  const end = relayId % 7 === 5 ? since + 250 * DAY : until;
  const checks: ScriptedCheck[] = [];
  let online = !isDead && random() < 0.7;
  let failures = 0;
  for (let at = Math.floor(first); at < end;) {
    if (!isDead && random() < turns) online = !online;
    failures = online ? 0 : failures + 1;
    checks.push(scriptedCheck({ relayId, checkedAt: at, online }, random));
    const wait = online ? 7_200 : Math.min(600 * 2 ** failures, DAY);
    const hole = random() < 0.001 ? random() * 20 * DAY : 0;
    at += 1 + Math.floor(wait * (0.5 + random() / 2) + hole);
  }
  return checks;
}

function scriptedCheck(
  { relayId, checkedAt, online }: {
    readonly relayId: number;
    readonly checkedAt: number;
    readonly online: boolean;
  },
  random: () => number,
): ScriptedCheck {
  const openMs = online ? Math.floor(random() * 900) : null;
  const failure = online ? null : `timeout: number ${checkedAt % 97}`;
  return { relayId, checkedAt, online, openMs, failure };
}

/** Seconds of [since, until) that the checks of one relay cover, and that it was online. */
export function observe(
  checks: readonly ScriptedCheck[],
  since: number,
  until: number,
): { observed: number; online: number } {
  let observed = 0;
  let onlineSeconds = 0;
  checks.forEach(({ checkedAt, online }, index) => {
    const next = checks[index + 1]?.checkedAt ?? Infinity;
    const end = Math.min(next, checkedAt + MAX_GAP, until);
    const seconds = Math.max(0, end - Math.max(checkedAt, since));
    observed += seconds;
    if (online) onlineSeconds += seconds;
  });
  return { observed, online: onlineSeconds };
}

export interface ScriptedOutage {
  readonly relayId: number;
  readonly since: number;
  /** Null while it lasts. */
  readonly until: number | null;
  readonly checks: number;
  readonly cause: string | null;
}

/** The outages of one relay, from the first failing check to the next good one. */
export function outagesOf(checks: readonly ScriptedCheck[]): ScriptedOutage[] {
  const outages: ScriptedOutage[] = [];
  for (let index = 0; index < checks.length;) {
    const { online, relayId, checkedAt: since, failure } = checks[index]!;
    let end = index;
    while (end < checks.length && checks[end]!.online === online) end++;
    if (!online) {
      const until = checks[end]?.checkedAt ?? null;
      outages.push({
        relayId,
        since,
        until,
        checks: end - index,
        cause: failure,
      });
    }
    index = end;
  }
  return outages;
}

export interface ScriptedState {
  readonly relayId: number;
  readonly online: boolean;
  readonly since: number;
  readonly streak: number;
  readonly lastCheckedAt: number;
  readonly lastOnlineAt: number | null;
  readonly firstCheckedAt: number;
}

/** Where one relay stands after all its checks. */
export function stateOf(checks: readonly ScriptedCheck[]): ScriptedState {
  const last = checks.at(-1)!;
  const turn = checks.findLastIndex(({ online }) => online !== last.online);
  return {
    relayId: last.relayId,
    online: last.online,
    since: checks[turn + 1]!.checkedAt,
    streak: checks.length - turn - 1,
    lastCheckedAt: last.checkedAt,
    lastOnlineAt: checks.findLast(({ online }) => online)?.checkedAt ?? null,
    firstCheckedAt: checks[0]!.checkedAt,
  };
}

/** All checks by time, in batches whose inside is out of order. */
export function batchesOf(
  checks: readonly ScriptedCheck[],
  size: number,
): ScriptedCheck[][] {
  const random = randomNumbers(1);
  const sorted = checks.toSorted((a, b) => a.checkedAt - b.checkedAt);
  return Array.from(
    { length: Math.ceil(sorted.length / size) },
    (_, index) =>
      sorted.slice(index * size, (index + 1) * size)
        .map((check) => ({ check, place: random() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ check }) => check),
  );
}
