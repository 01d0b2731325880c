/**
 * For what another process does, and tells nobody about.
 *
 * @module
 */

const PATIENCE_MS = 60_000;

/** Asks again and again until the answer is yes; throws after a minute, or what else is told. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const startedAt = performance.now();
  while (!await isSo()) {
    if (performance.now() - startedAt > patienceMs) {
      const seconds = patienceMs / 1_000;
      throw new Error(`After ${seconds} s this is still not so: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
