/**
 * Completions for fish, with the descriptions of `--help`.
 *
 * @module
 */
import type { Command, Option } from "../command.ts";
import { placesOf, type TreePlace } from "./command_tree.ts";

/** A file for `~/.config/fish/completions/`. */
export function fishCompletions(commands: readonly Command[]): string {
  const places = placesOf(commands);
  return `# fish completion for bigbrotr
function __bigbrotr_place
    set -l place ""
    for word in (commandline -opc)[2..-1]
        switch "$place/$word"
${places.flatMap(steps).join("\n")}
        end
    end
    test "$place" = "$argv[1]"
end
complete -c bigbrotr -f
${places.flatMap(lines).join("\n")}
`;
}

function steps({ path, next }: TreePlace): string[] {
  return next.map(({ word }) => {
    const longer = path === "" ? word : `${path} ${word}`;
    return `            case '${path}/${word}'\n                set place '${longer}'`;
  });
}

function lines(
  { path, next, options, choices, completesFiles }: TreePlace,
): string[] {
  const here = `complete -c bigbrotr -n "__bigbrotr_place '${path}'"`;
  return [
    ...next.map(({ word, summary }) =>
      `${here} -a ${quoted(word)} -d ${quoted(summary)}`
    ),
    ...(choices.length > 0 ? [`${here} -a ${quoted(choices.join(" "))}`] : []),
    ...(completesFiles ? [`${here} -F`] : []),
    ...options.map((option) => `${here} ${optionOf(option)}`),
  ];
}

function optionOf(option: Option): string {
  const parts = [`-l ${option.name}`];
  if (option.short) parts.push(`-s ${option.short}`);
  if (option.choices) parts.push(`-x -a ${quoted(option.choices.join(" "))}`);
  else if (option.completes === "files") parts.push("-r -F");
  else if (option.completes === "directories") {
    parts.push("-x -a '(__fish_complete_directories)'");
  } else if (option.value !== undefined) parts.push("-x");
  return `${parts.join(" ")} -d ${quoted(option.description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
