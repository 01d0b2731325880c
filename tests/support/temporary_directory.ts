/**
 * A directory for one test.
 *
 * @module
 */

/** Makes an empty directory that everybody can enter, as root's PostgreSQL must; disposing removes it with all that is in it. */
export async function temporaryDirectory(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.makeTempDir({ prefix: "bigbrotr-test-" });
  await Deno.chmod(path, 0o755);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
