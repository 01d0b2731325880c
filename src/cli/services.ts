/**
 * The services there are, in the order of the data's path.
 *
 * @module
 */
import type { Service } from "../core/lifecycle/service.ts";
import { finder } from "../services/finder/mod.ts";
import { monitor } from "../services/monitor/mod.ts";
import { refresher } from "../services/refresher/mod.ts";
import { seeder } from "../services/seeder/mod.ts";
import { synchronizer } from "../services/synchronizer/mod.ts";
import { validator } from "../services/validator/mod.ts";

/** Each of them is a command, and `up` runs them all. */
export const SERVICES: readonly Service[] = [
  seeder,
  finder,
  validator,
  monitor,
  synchronizer,
  refresher,
];
