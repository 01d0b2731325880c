/**
 * What the demonstration says: numbered scenes, lines with the time since the beginning, colour on a terminal.
 *
 * @module
 */

export interface Stage {
  /** Seconds since the curtain rose. */
  seconds(): number;
  /** Begins the next scene. */
  scene(title: string): void;
  /** A line of explanation. */
  say(text: string): void;
  /** Something that happened just now, to whom or by whom. */
  happened(who: string, text: string): void;
  /** The last word. */
  verdict(good: boolean, text: string): void;
  /** Text that is laid out already. */
  print(text: string): void;
}

/** A stage on standard output. */
export function openStage(): Stage {
  const startedAt = performance.now();
  const paint = Deno.stdout.isTerminal() && !Deno.noColor ? ansi : plain;
  const seconds = () => (performance.now() - startedAt) / 1000;
  let scenes = 0;
  return {
    seconds,
    scene: (title) => write(`\n${paint("1", `${++scenes}. ${title}`)}\n`),
    say: (text) => write(`   ${paint("2", text)}\n`),
    happened: (who, text) => {
      const clock = `${seconds().toFixed(1).padStart(5)} s`;
      const name = who.padEnd(12);
      write(`   ${paint("2", clock)}  ${paint("36", name)}  ${text}\n`);
    },
    verdict: (good, text) =>
      write(
        `\n${paint(good ? "1;32" : "1;31", `${good ? "✔" : "✘"} ${text}`)}\n`,
      ),
    print: (text) => write(text),
  };
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

function ansi(code: string, text: string): string {
  return `\x1b[${code}m${text}\x1b[0m`;
}

function plain(_code: string, text: string): string {
  return text;
}
