import { deepStrictEqual, ok } from "node:assert/strict";
import { join } from "node:path";
import type { z } from "zod";
import { SERVICES } from "../../../../src/cli/services.ts";
import { brotrConfig } from "../../../../src/core/config/brotr_config.ts";
import { loadConfig } from "../../../../src/core/config/load.ts";
import { leafPaths } from "../../../../src/core/config/schema_keys.ts";

const ROOT = join(`${import.meta.dirname}`, "../../../..");

const FILES: readonly { readonly path: string; readonly schema: z.ZodType }[] =
  [
    { path: "config/brotr.yaml", schema: brotrConfig },
    ...SERVICES.map(({ name, config }) => ({
      path: `config/services/${name}.yaml`,
      schema: config,
    })),
  ];

for (const { path, schema } of FILES) {
  Deno.test(`${path} says what the defaults are and shows every key`, async () => {
    const file = join(ROOT, path);
    deepStrictEqual(loadConfig(file, schema), schema.parse({}));
    const text = await Deno.readTextFile(file);
    for (const keys of leafPaths(schema)) {
      const shown = new RegExp(`\\b${keys.at(-1)}:`).test(text);
      ok(shown, `${path} does not show ${keys.join(".")}`);
    }
  });
}
