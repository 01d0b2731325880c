/**
 * No spread of a literal (`...{ a, b }`, `...[a, b]`): the entries can stand where the spread does.
 *
 * @module
 */

/** Deno loads a plugin by its default export. */
const plugin: Deno.lint.Plugin = {
  name: "spreads",
  rules: { "no-literal-spread": { create: spreadRule } },
};
export default plugin;

function spreadRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    SpreadElement: (node) => {
      const { type } = node.argument;
      if (type !== "ObjectExpression" && type !== "ArrayExpression") return;
      const message = "The entries of a literal need no spread around them";
      context.report({ node, message });
    },
  };
}
