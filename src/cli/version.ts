/**
 * The program's version, from the one place that states it.
 *
 * @module
 */
import manifest from "../../deno.json" with { type: "json" };

export const VERSION: string = manifest.version;
