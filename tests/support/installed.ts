/**
 * What tests can do without: where it is missing such a test is ignored, and its name says why.
 *
 * @module
 */

/** Null where the program is installed, else what is to be said. */
export async function missing(
  program: string,
  args: readonly string[] = ["--version"],
): Promise<string | null> {
  try {
    const { success } = await new Deno.Command(program, {
      args: [...args],
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? null : `${program} does not run here`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${program} is not installed`;
  }
}

/** Name of a test, and whether it is ignored: it is where there is an obstacle. */
export function unless(
  obstacle: string | null,
  name: string,
): { readonly name: string; readonly ignore: boolean } {
  return obstacle === null
    ? { name, ignore: false }
    : { name: `${name} (ignored: ${obstacle})`, ignore: true };
}

/** Registers a test that needs the program. */
export async function testWith(
  program: string,
  name: string,
  fn: () => Promise<void>,
): Promise<void> {
  Deno.test({ ...unless(await missing(program), name), fn });
}
