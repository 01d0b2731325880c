/**
 * One source file as facts: its functions, what it imports, and what it exports.
 *
 * TypeScript's parser comes by way of `@ts-morph/common`: `typescript` itself is an optional peer of nostr-tools, so
 * that to import it here would put it into the lock file below nostr-tools and into the compiled program.
 *
 * @module
 */
import { ts } from "@ts-morph/common";

export interface Source {
  /** Relative to the repository: `src/models/event.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly functions: readonly FunctionFacts[];
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
}

/** A function that has a name: declared, a method, or the value of a constant or property. */
export interface FunctionFacts {
  readonly name: string;
  /** Where it begins, from 1. */
  readonly line: number;
  readonly lines: number;
  readonly parameters: number;
}

/** Names of one other file that this one uses; `"*"` when the whole of it is imported. */
export interface Import {
  readonly specifier: string;
  readonly names: readonly string[] | "*";
  readonly isTypeOnly: boolean;
}

export interface Export {
  readonly name: string;
  readonly isType: boolean;
  /** Whether the name comes from another file and is only passed on. */
  readonly isPassedOn: boolean;
  /** Whether the file itself mentions the name once more. */
  readonly isUsedHere: boolean;
}

export function readSource(path: string, text: string): Source {
  const root = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const functions: FunctionFacts[] = [];
  const imports: Import[] = [];
  const mentions = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    const facts = functionFacts(node, root);
    if (facts !== null) functions.push(facts);
    const found = importOf(node);
    if (found !== null) imports.push(found);
    if (ts.isIdentifier(node)) {
      mentions.set(node.text, (mentions.get(node.text) ?? 0) + 1);
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return {
    path,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    functions,
    imports,
    exports: root.statements.flatMap(exportsOf).map((one) => ({
      ...one,
      isUsedHere: (mentions.get(one.name) ?? 0) > 1,
    })),
  };
}

function functionFacts(
  node: ts.Node,
  root: ts.SourceFile,
): FunctionFacts | null {
  if (!ts.isFunctionLike(node) || !("body" in node) || !node.body) return null;
  const name = functionName(node);
  if (name === null) return null;
  const line = lineAt(root, node.getStart(root));
  return {
    name,
    line,
    lines: lineAt(root, node.end) - line + 1,
    parameters: node.parameters.length,
  };
}

/** Functions handed to a call have no name: they count as lines of the function around them. */
function functionName(node: ts.SignatureDeclaration): string | null {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  const isNamed = ts.isVariableDeclaration(parent) ||
    ts.isPropertyDeclaration(parent) || ts.isPropertyAssignment(parent);
  return isNamed ? parent.name.getText() : null;
}

function lineAt(root: ts.SourceFile, position: number): number {
  return root.getLineAndCharacterOfPosition(position).line + 1;
}

function importOf(node: ts.Node): Import | null {
  if (ts.isImportDeclaration(node)) return importDeclaration(node);
  if (ts.isExportDeclaration(node)) return reExport(node);
  if (ts.isImportTypeNode(node)) {
    const { argument } = node;
    return ts.isLiteralTypeNode(argument)
      ? wholeOf(argument.literal, true)
      : null;
  }
  const isDynamic = ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? wholeOf(node.arguments[0], false) : null;
}

function wholeOf(
  specifier: ts.Node | undefined,
  isTypeOnly: boolean,
): Import | null {
  return specifier !== undefined && ts.isStringLiteral(specifier)
    ? { specifier: specifier.text, names: "*", isTypeOnly }
    : null;
}

function importDeclaration(node: ts.ImportDeclaration): Import | null {
  const whole = wholeOf(node.moduleSpecifier, false);
  const clause = node.importClause;
  if (whole === null || clause === undefined) return whole;
  const isTypeOnly = clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const bindings = clause.namedBindings;
  if (bindings === undefined || ts.isNamespaceImport(bindings)) {
    return { ...whole, isTypeOnly };
  }
  const { elements } = bindings;
  return {
    specifier: whole.specifier,
    names: elements.map(({ name, propertyName }) =>
      (propertyName ?? name).text
    ),
    isTypeOnly: isTypeOnly || elements.every((element) => element.isTypeOnly),
  };
}

function reExport(node: ts.ExportDeclaration): Import | null {
  const whole = wholeOf(node.moduleSpecifier, node.isTypeOnly);
  const clause = node.exportClause;
  if (whole === null || clause === undefined || !ts.isNamedExports(clause)) {
    return whole;
  }
  const names = clause.elements.map(({ name, propertyName }) =>
    (propertyName ?? name).text
  );
  return { ...whole, names };
}

type ExportedName = Omit<Export, "isUsedHere">;

function exportsOf(node: ts.Statement): ExportedName[] {
  if (ts.isExportDeclaration(node)) return namedExports(node);
  if (!isExported(node)) return [];
  const isType = ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node);
  const exported = (name: string) => ({ name, isType, isPassedOn: false });
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.map(({ name }) =>
      exported(name.getText())
    );
  }
  const hasName = isType || ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node);
  return hasName && node.name !== undefined ? [exported(node.name.text)] : [];
}

function namedExports(node: ts.ExportDeclaration): ExportedName[] {
  const clause = node.exportClause;
  if (clause === undefined || !ts.isNamedExports(clause)) return [];
  return clause.elements.map(({ name }) => ({
    name: name.text,
    isType: node.isTypeOnly,
    isPassedOn: node.moduleSpecifier !== undefined,
  }));
}

/** Ambient declarations tell of code elsewhere. */
function isExported(node: ts.Statement): boolean {
  if (!ts.canHaveModifiers(node)) return false;
  const kinds = (ts.getModifiers(node) ?? []).map(({ kind }) => kind);
  return kinds.includes(ts.SyntaxKind.ExportKeyword) &&
    !kinds.includes(ts.SyntaxKind.DeclareKeyword);
}
