/**
 * The commands as a shell meets them, word by word.
 *
 * @module
 */
import type { Command, Option } from "../command.ts";
import { COMMON_OPTIONS } from "../options/common_options.ts";

/** A place in the tree of commands, from which words can follow: the root, a group (`db`), or a command. */
export interface TreePlace {
  /** The words so far: empty, `db`, `db init`. */
  readonly path: string;
  /** The words that can come next, with their summaries. */
  readonly next: readonly { readonly word: string; readonly summary: string }[];
  /** The options of a command, the common ones included. */
  readonly options: readonly Option[];
  /** Those of them that other commands do not have. */
  readonly ownOptions: readonly Option[];
  /** The words an argument can be. */
  readonly choices: readonly string[];
  readonly completesFiles: boolean;
}

const ALWAYS: readonly Option[] = [
  ...COMMON_OPTIONS,
  { name: "help", short: "h", description: "explain" },
];

/** All places, the root first. */
export function placesOf(commands: readonly Command[]): TreePlace[] {
  const groups = new Set(
    commands.map(({ name }) => name.split(" ")).filter((words) =>
      words.length > 1
    ).map(([word = ""]) => word),
  );
  return [
    place("", nextWords(commands, "")),
    ...[...groups].map((group) => place(group, nextWords(commands, group))),
    ...commands.map((command) => ({
      ...place(command.name, []),
      options: [...command.options, ...ALWAYS],
      ownOptions: command.options,
      choices: command.arguments?.flatMap((one) => one.choices ?? []) ?? [],
      completesFiles:
        command.arguments?.some((one) => one.completes === "files") ?? false,
    })),
  ];
}

function place(path: string, next: TreePlace["next"]): TreePlace {
  return {
    path,
    next,
    options: path === ""
      ? [...ALWAYS, { name: "version", short: "V", description: "print it" }]
      : ALWAYS,
    ownOptions: [],
    choices: [],
    completesFiles: false,
  };
}

function nextWords(
  commands: readonly Command[],
  path: string,
): TreePlace["next"] {
  const depth = path === "" ? 0 : 1;
  const found = new Map<string, string>();
  for (const { name, summary } of commands) {
    const words = name.split(" ");
    const word = words[depth];
    if (word === undefined || (depth === 1 && words[0] !== path)) continue;
    const isGroup = words.length > depth + 1;
    if (!found.has(word)) found.set(word, isGroup ? `${word} …` : summary);
  }
  return [...found].map(([word, summary]) => ({ word, summary }));
}
