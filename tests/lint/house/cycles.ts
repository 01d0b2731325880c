/**
 * Cycles among files that import each other.
 *
 * @module
 */

/** For each file the files it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The shortest cycle through each import that lies on one, each cycle once, from its first file by name. */
export function shortestCycles(graph: ImportGraph): string[][] {
  const found = new Map<string, string[]>();
  for (const [from, targets] of graph) {
    for (const to of targets) {
      const way = shortestWay(graph, to, from);
      if (way === null) continue;
      const cycle = fromSmallest(way);
      found.set(cycle.join(" "), cycle);
    }
  }
  return [...found.values()].sort((a, b) => compare(a.join(), b.join()));
}

/** Both ends included; null when no way leads there. */
function shortestWay(
  graph: ImportGraph,
  from: string,
  to: string,
): string[] | null {
  const cameFrom = new Map<string, string | null>([[from, null]]);
  for (const file of cameFrom.keys()) {
    if (file === to) return trail(cameFrom, to);
    for (const next of graph.get(file) ?? []) {
      if (!cameFrom.has(next)) cameFrom.set(next, file);
    }
  }
  return null;
}

function trail(
  cameFrom: ReadonlyMap<string, string | null>,
  end: string,
): string[] {
  const way: string[] = [];
  for (let at: string | null = end; at !== null;) {
    way.unshift(at);
    at = cameFrom.get(at) ?? null;
  }
  return way;
}

function fromSmallest(cycle: readonly string[]): string[] {
  const start = cycle.indexOf([...cycle].sort(compare)[0] ?? "");
  return [...cycle.slice(start), ...cycle.slice(0, start)];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
