/**
 * Completions for bash, with nothing but its builtins.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { placesOf, type TreePlace } from "./command_tree.ts";

/** A script for `~/.local/share/bash-completion/completions/`. */
export function bashCompletions(commands: readonly Command[]): string {
  const places = placesOf(commands);
  return `# bash completion for bigbrotr
_bigbrotr() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path/\${COMP_WORDS[i]}" in
${places.flatMap(steps).join("\n")}
    esac
  done
  case "$path:$prev" in
${places.flatMap(values).join("\n")}
  esac
  case "$path" in
${places.map(words).join("\n")}
  esac
}
complete -F _bigbrotr bigbrotr
`;
}

function steps({ path, next }: TreePlace): string[] {
  return next.map(({ word }) => {
    const longer = path === "" ? word : `${path} ${word}`;
    return `      "${path}/${word}") path="${longer}" ;;`;
  });
}

function values({ path, options }: TreePlace): string[] {
  return options.filter((option) => option.value !== undefined).map(
    (option) => {
      const flags = [
        `--${option.name}`,
        ...(option.short ? [`-${option.short}`] : []),
      ];
      const patterns = flags.map((flag) => `"${path}:${flag}"`).join("|");
      const reply = option.choices
        ? `-W "${option.choices.join(" ")}"`
        : option.completes === "files"
        ? "-f"
        : option.completes === "directories"
        ? "-d"
        : null;
      return reply === null
        ? `    ${patterns}) return ;;`
        : `    ${patterns}) COMPREPLY=($(compgen ${reply} -- "$cur")); return ;;`;
    },
  );
}

function words(
  { path, next, options, choices, completesFiles }: TreePlace,
): string {
  const all = [
    ...next.map(({ word }) => word),
    ...choices,
    ...options.map(({ name }) => `--${name}`),
  ];
  const files = completesFiles ? " -f" : "";
  return `    "${path}") COMPREPLY=($(compgen${files} -W "${
    all.join(" ")
  }" -- "$cur")) ;;`;
}
