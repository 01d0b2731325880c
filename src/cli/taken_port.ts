/**
 * Port that cannot be had because another bigbrotr has it: most often the one that was started before.
 *
 * @module
 */
import type { MetricsConfig } from "../core/config/common_config.ts";

/** What `open` gives. Where it throws for a port that a bigbrotr serves on, the error says so. */
export async function orSaySo<T>(
  { host, port }: MetricsConfig,
  open: () => T,
): Promise<T> {
  try {
    return open();
  } catch (error) {
    const isTaken = error instanceof Error &&
      error.cause instanceof Deno.errors.AddrInUse;
    if (!isTaken || !await isOurs(host, port)) throw error;
    throw new Error(
      `${error.message}. It is another bigbrotr: stop it first (bigbrotr status shows what runs), ` +
        "or give this one a port of its own",
      { cause: error.cause },
    );
  }
}

/** How long a neighbour on this machine may take to say who it is. */
const PROBE_MS = 2_000;

/** Whether what listens there answers as `/healthz` of this program does. */
export async function isOurs(host: string, port: number): Promise<boolean> {
  const name = host === "0.0.0.0"
    ? "127.0.0.1"
    : host.includes(":")
    ? `[${host === "::" ? "::1" : host}]`
    : host;
  try {
    const response = await fetch(`http://${name}:${port}/healthz`, {
      signal: AbortSignal.timeout(PROBE_MS),
    });
    return (await response.text()).includes('"alive"');
  } catch {
    return false;
  }
}
