/**
 * Completions for bash, with nothing but its builtins.
 *
 * @module
 */
import type { Command, Option } from "../command.ts";
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
_bigbrotr_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }
# So that names with spaces are quoted, and a directory ends in a slash instead of a space.
_bigbrotr_names() {
  compopt -o filenames 2> /dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
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
      const reply = replyOf(option);
      return reply === null
        ? `    ${patterns}) return ;;`
        : `    ${patterns}) ${reply}; return ;;`;
    },
  );
}

/** Null where nobody can tell what the value is. */
function replyOf({ choices, completes }: Option): string | null {
  if (choices) return `_bigbrotr_words "${choices.join(" ")}" "$cur"`;
  if (completes === "files") return `_bigbrotr_names -f "$cur"`;
  return completes === "directories" ? `_bigbrotr_names -d "$cur"` : null;
}

/** Options after a dash; else what comes next, and a command's own options only where nothing else does. */
function words(
  { path, next, options, choices, completesFiles, ownOptions }: TreePlace,
): string {
  const flags = (some: readonly Option[]) =>
    some.map(({ name }) => `--${name}`).join(" ");
  const plain = [...next.map(({ word }) => word), ...choices];
  const bare = completesFiles
    ? `_bigbrotr_names -f "$cur"`
    : `_bigbrotr_words "${
      plain.length > 0 ? plain.join(" ") : flags(ownOptions)
    }" "$cur"`;
  return `    "${path}")
      if [[ $cur == -* ]]; then _bigbrotr_words "${
    flags(options)
  }" "$cur"; else ${bare}; fi ;;`;
}
