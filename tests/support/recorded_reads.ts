/**
 * A configuration that remembers which of its keys were read.
 *
 * @module
 */

export interface Recording {
  /** Gets the dotted path of every key that is read; `*` stands for any item of a list. */
  readonly read: Set<string>;
  /** All keys there could be below `config`: an optional one without a value can be read, too. */
  readonly paths?: readonly (readonly string[])[];
  /** Where `config` stands in the whole. */
  readonly prefix?: string;
}

/**
 * Turns every key of `config` (a plain tree, changed in place) into an accessor that remembers.
 * Accessors, not a Proxy: what is sent to a worker is still cloned, and counts as read.
 */
export function recordReads<T extends object>(
  config: T,
  { read, paths = [], prefix = "" }: Recording,
): T {
  const isList = Array.isArray(config);
  const values = new Map<string, unknown>(Object.entries(config));
  const optional = isList ? [] : paths.flatMap(([key]) => key ?? []);
  for (const key of new Set([...values.keys(), ...optional])) {
    const name = isList ? "*" : key;
    const dotted = prefix + name;
    const value = values.get(key);
    if (typeof value === "object" && value !== null) {
      const below = paths.filter(([first]) => first === name)
        .map(([, ...rest]) => rest);
      recordReads(value, { read, paths: below, prefix: `${dotted}.` });
    }
    Object.defineProperty(config, key, {
      enumerable: true,
      get() {
        read.add(dotted);
        return value;
      },
    });
  }
  return config;
}
