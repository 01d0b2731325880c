/**
 * What is different between two readings of one configuration.
 *
 * @module
 */

/** The keys of which the values differ, dotted: `retry.maxSeconds`. Lists are compared as wholes. */
export function changedSettings(before: object, after: object): string[] {
  const [was, is] = [before, after].map((tree) =>
    new Map<string, unknown>(Object.entries(tree))
  );
  const keys = new Set([...was?.keys() ?? [], ...is?.keys() ?? []]);
  return [...keys].flatMap((key) => {
    const [old, now] = [was?.get(key), is?.get(key)];
    if (isTree(old) && isTree(now)) {
      return changedSettings(old, now).map((below) => `${key}.${below}`);
    }
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [key];
  });
}

function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
