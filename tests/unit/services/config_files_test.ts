import assert from "node:assert/strict";
import { loadConfig } from "../../../src/core/config/load.ts";
import type {
  CommonConfig,
  Service,
} from "../../../src/core/lifecycle/service.ts";
import { finder } from "../../../src/services/finder/mod.ts";
import { monitor } from "../../../src/services/monitor/mod.ts";
import { refresher } from "../../../src/services/refresher/mod.ts";
import { synchronizer } from "../../../src/services/synchronizer/mod.ts";
import { seeder } from "../../../src/services/seeder/mod.ts";
import { validator } from "../../../src/services/validator/mod.ts";

const SERVICES: readonly Service[] = [
  seeder,
  finder,
  validator,
  monitor,
  synchronizer,
  refresher,
];

for (const service of SERVICES) {
  const name = service.name;
  Deno.test(`config/services/${name}.yaml says what the defaults are, all of them`, () => {
    assertSaysDefaults(service);
  });
}

function assertSaysDefaults<C extends CommonConfig>(service: Service<C>): void {
  const path = `config/services/${service.name}.yaml`;
  const file = new URL(`../../../${path}`, import.meta.url);
  assert.deepEqual(
    loadConfig(file.pathname, service.config),
    service.config.parse({}),
  );
}
