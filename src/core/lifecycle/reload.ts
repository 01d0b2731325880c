/**
 * A configuration that is read again while its service runs: whoever goes by a part of it is told of the new one.
 *
 * @module
 */
import { HostList } from "../../models/host_list.ts";
import { optedOutHosts, type OptOutConfig } from "../config/opt_out.ts";
import type { CommonConfig, Context } from "./service.ts";

/** Listeners of one service. */
export class Reload<C> {
  readonly #listeners: ((config: C) => void)[] = [];

  subscribe(listener: (config: C) => void): void {
    this.#listeners.push(listener);
  }

  /** Throws what a listener throws, such as a ConfigError for a file that cannot be read. */
  emit(config: C): void {
    for (const listener of this.#listeners) listener(config);
  }
}

/** Hosts that are never dialled, as the configuration and its file name them now. */
export function liveOptOut<C extends CommonConfig & OptOutConfig>(
  ctx: Pick<Context<C>, "config" | "onReload">,
): HostList {
  const hosts = new HostList(optedOutHosts(ctx.config));
  ctx.onReload?.((config) => hosts.replace(optedOutHosts(config)));
  return hosts;
}
