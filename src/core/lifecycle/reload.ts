/**
 * A configuration that is read again while its service runs: whoever goes by a part of it is told of the new one.
 *
 * @module
 */
import { HostList } from "../../models/host_list.ts";
import { changedSettings } from "../config/changed_settings.ts";
import { optedOutHosts, type OptOutConfig } from "../config/opt_out.ts";
import type { CommonConfig, Context, Service } from "./service.ts";

/** Listeners of one service. */
export class Reload<C extends CommonConfig = CommonConfig> {
  readonly #service: Pick<Service<C>, "name" | "reloaded">;
  /** As the service was started with. */
  readonly #began: C;
  readonly #listeners: ((config: C) => void)[] = [];

  constructor(service: Pick<Service<C>, "name" | "reloaded">, config: C) {
    this.#service = service;
    this.#began = config;
  }

  subscribe(listener: (config: C) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Hands it to the listeners, and gives the keys that differ from those of the start and that nobody goes by until a
   * restart: `monitor.schedule.everySeconds`. Throws what a listener throws, such as a ConfigError for a file that cannot
   * be read.
   */
  emit(config: C): readonly string[] {
    for (const listener of this.#listeners) listener(config);
    const { name, reloaded = [] } = this.#service;
    return changedSettings(this.#began, config)
      .filter((key) => !reloaded.includes(key))
      .map((key) => `${name}.${key}`);
  }
}

/**
 * Hosts that are never dialled, as the configuration and its file name them now. `onReturn` is told which of them are no
 * more among them.
 */
export function liveOptOut<C extends CommonConfig & OptOutConfig>(
  ctx: Pick<Context<C>, "config" | "onReload">,
  onReturn: (hosts: readonly string[]) => void = () => {},
): HostList {
  const hosts = new HostList(optedOutHosts(ctx.config));
  ctx.onReload?.((config) => {
    const returned = hosts.replace(optedOutHosts(config));
    if (returned.length > 0) onReturn(returned);
  });
  return hosts;
}
