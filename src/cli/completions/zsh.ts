/**
 * Completions for zsh, with the descriptions of `--help`.
 *
 * @module
 */
import type { Command, Option } from "../command.ts";
import { placesOf, type TreePlace } from "./command_tree.ts";

/** A function file for a directory of `$fpath`. */
export function zshCompletions(commands: readonly Command[]): string {
  const places = placesOf(commands);
  return `#compdef bigbrotr
_bigbrotr() {
  local place="" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$place/\${words[i]}" in
${places.flatMap(steps).join("\n")}
    esac
  done
  local -a next
  case "$place" in
${places.map(answer).join("\n")}
  esac
}
if [[ "$funcstack[1]" == _bigbrotr ]]; then _bigbrotr "$@"; else compdef _bigbrotr bigbrotr; fi
`;
}

function steps({ path, next }: TreePlace): string[] {
  return next.map(({ word }) => {
    const longer = path === "" ? word : `${path} ${word}`;
    return `      '${path}/${word}') place='${longer}' ;;`;
  });
}

function answer(
  { path, next, options, choices, completesFiles }: TreePlace,
): string {
  const lines = [`    '${path}')`];
  if (next.length > 0) {
    const words = next.map(({ word, summary }) => quoted(`${word}:${summary}`));
    lines.push(`      next=(${words.join(" ")})`);
    lines.push(`      [[ "$words[CURRENT]" == -* ]] || _describe command next`);
  }
  // The command's own words are arguments to _arguments: without this it would complete nothing after them.
  const rest = choices.length > 0
    ? `*:value:(${choices.join(" ")})`
    : completesFiles
    ? "*:file:_files"
    : "*: :()";
  const specs = [...options.flatMap(specsOf), quoted(rest)];
  lines.push(
    `      _arguments -S \\\n        ${specs.join(" \\\n        ")} ;;`,
  );
  return lines.join("\n");
}

function specsOf(option: Option): string[] {
  const about = option.description.replace(/[[\]:\\]/g, "\\$&");
  const value = option.value === undefined
    ? ""
    : `:${option.value}:${action(option)}`;
  const star = option.repeatable ? "*" : "";
  const flags = [
    `--${option.name}`,
    ...(option.short ? [`-${option.short}`] : []),
  ];
  return flags.map((flag) => quoted(`${star}${flag}[${about}]${value}`));
}

function action({ choices, completes }: Option): string {
  if (choices) return `(${choices.join(" ")})`;
  if (completes === "files") return "_files";
  return completes === "directories" ? "_files -/" : " ";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
