/**
 * Which properties a piece of source reads, by its syntax tree.
 *
 * @module
 */

/** Names read as `x.name`, `x?.name` or by destructuring; what is only written or declared does not count. */
export function propertyReads(path: string, source: string): Set<string> {
  const names = new Set<string>();
  const written = new Set<Deno.lint.Node>();
  const add = (key: Deno.lint.Node) => {
    if (key.type === "Identifier") names.add(key.name);
  };
  const plugin: Deno.lint.Plugin = {
    name: "property-reads",
    rules: {
      collect: {
        create: () => ({
          AssignmentExpression: ({ left }) => {
            written.add(left);
          },
          MemberExpression: (node) => {
            if (!node.computed && !written.has(node)) add(node.property);
          },
          ObjectPattern: ({ properties }) => {
            for (const one of properties) {
              if (one.type === "Property" && !one.computed) add(one.key);
            }
          },
        }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, path, source);
  return names;
}
