/**
 * For what another process does, and tells nobody about.
 *
 * @module
 */

const PATIENCE_MS = 60_000;

/** Asks again and again until the answer is yes; throws after a minute. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const startedAt = performance.now();
  while (!await isSo()) {
    if (performance.now() - startedAt > PATIENCE_MS) {
      throw new Error(`A minute has passed, and this is still not so: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
