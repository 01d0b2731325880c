/**
 * No spread of a literal (`...{ a, b }`, `...[a, b]`): the entries can stand where the spread does.
 *
 * @module
 */

/** Files that may still spread literals, as others are at work on them; to shrink to nothing. */
const NOT_YET: readonly string[] = [
  "src/services/monitor/mmdb/mmdb_files.ts",
  "src/services/monitor/retention.ts",
  "src/services/synchronizer/live/live_relays.ts",
  "src/services/synchronizer/mod.ts",
  "src/services/synchronizer/sync_relay.ts",
  "src/workers/live/live_tail.ts",
  "src/workers/negentropy/id_fetch.ts",
  "src/workers/negentropy/reconciler.ts",
  "src/workers/negentropy/whole_list.ts",
  "src/workers/walk/spot_sample.ts",
  "src/workers/worker/session.ts",
];

/** Deno loads a plugin by its default export. */
const plugin: Deno.lint.Plugin = {
  name: "spreads",
  rules: { "no-literal-spread": { create: spreadRule } },
};
export default plugin;

function spreadRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = context.filename.replaceAll("\\", "/");
  if (NOT_YET.some((path) => file.endsWith(`/${path}`))) return {};
  return {
    SpreadElement: (node) => {
      const { type } = node.argument;
      if (type !== "ObjectExpression" && type !== "ArrayExpression") return;
      const message = "The entries of a literal need no spread around them";
      context.report({ node, message });
    },
  };
}
