/**
 * The walls of the house as a lint plugin: a file of the program has at most 300 lines, a function at most 40 and
 * at most three positional parameters.
 *
 * @module
 */

const MAX_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 40;
const MAX_PARAMETERS = 3;

/** Deno loads a plugin by its default export. */
const plugin: Deno.lint.Plugin = {
  name: "sizes",
  rules: { "small-pieces": { create: sizeRule } },
};
export default plugin;

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

function sizeRule(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  // Tests tell stories: theirs may be longer.
  if (!/(^|\/)src\//.test(context.filename.replaceAll("\\", "/"))) return {};
  const { text } = context.sourceCode;
  const lines = ([from, to]: Deno.lint.Node["range"]) =>
    text.slice(from, to).split("\n").length;
  const templates: Deno.lint.Node["range"][] = [];
  const functions: FunctionNode[] = [];
  const remember = (node: FunctionNode) => {
    functions.push(node);
  };
  return {
    FunctionDeclaration: remember,
    FunctionExpression: remember,
    ArrowFunctionExpression: remember,
    // SQL inside a function is as long as the question is.
    TemplateLiteral: ({ range }) => {
      templates.push(range);
    },
    "Program:exit": (node) => {
      const fileLines = text.split("\n").length - 1;
      const report = (message: string, at: Deno.lint.Node) =>
        context.report({ node: at, message });
      if (fileLines > MAX_FILE_LINES) {
        report(
          `a file of ${fileLines} lines, more than ${MAX_FILE_LINES}`,
          node,
        );
      }
      for (const one of functions) {
        const own = one.body ? bodyLines(one.body.range, templates, lines) : 0;
        if (own > MAX_FUNCTION_LINES) {
          report(
            `a function of ${own} lines, more than ${MAX_FUNCTION_LINES}`,
            one,
          );
        }
        if (one.params.length > MAX_PARAMETERS) {
          report(
            `${one.params.length} positional parameters: take one options object`,
            one,
          );
        }
      }
    },
  };
}

/** The lines between a function's braces, those inside template literals left out. */
function bodyLines(
  [from, to]: Deno.lint.Node["range"],
  templates: readonly Deno.lint.Node["range"][],
  lines: (range: Deno.lint.Node["range"]) => number,
): number {
  const inside = templates.filter(([start, end]) => start >= from && end <= to);
  return inside.reduce(
    (total, range) => total - (lines(range) - 1),
    lines([from, to]) - 2,
  );
}
