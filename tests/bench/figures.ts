/**
 * Figures: medians of several runs, printed in one form.
 *
 * @module
 */

/** Runs something several times and gives the median of what it returns. */
export async function medianOf(
  runs: number,
  measure: (run: number) => Promise<number>,
): Promise<number> {
  const figures: number[] = [];
  for (let run = 0; run < runs; run++) figures.push(await measure(run));
  return median(figures);
}

/** The middle of at least one figure, the upper one of two. */
export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1]!;
}

/** Seconds that something takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

export function heading(title: string): void {
  print(`\n${title}`);
}

/** One line: what was measured, the figure, and what it means. */
export function figure(name: string, value: string, note = ""): void {
  print(`  ${name.padEnd(44)} ${value.padStart(12)}  ${note}`.trimEnd());
}

/** 12345.6 as 12 346. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en").replaceAll(",", " ");
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
