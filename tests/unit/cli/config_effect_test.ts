import { deepStrictEqual } from "node:assert/strict";
import { join } from "node:path";
import { brotrConfig } from "../../../src/core/config/brotr_config.ts";
import { leafPaths } from "../../../src/core/config/schema_keys.ts";
import { propertyReads } from "../../support/property_reads.ts";

const ROOT = join(`${import.meta.dirname}`, "../../..");

/** The sections of `config/brotr.yaml`, and where they are read. */
const BROTR: Readonly<Record<string, readonly string[]>> = {
  "log.*": ["src/cli/run.ts", "src/core/log"],
  "shutdownGraceSeconds": ["src/cli/run.ts"],
  "up.*": ["src/cli/commands/up.ts", "src/cli/service_host.ts"],
  "serving.*": ["src/cli"],
  "breaker.*": ["src/core/database", "src/core/lifecycle/breaker.ts"],
  "*": ["src/core/database"],
};

/** Every property that the program reads below this place, configuration schemas excepted. */
function readsBelow(place: string): Set<string> {
  const names = new Set<string>();
  for (const file of sources(join(ROOT, place))) {
    const source = Deno.readTextFileSync(file);
    for (const name of propertyReads(file, source)) names.add(name);
  }
  return names;
}

function sources(path: string): string[] {
  if (Deno.statSync(path).isFile) return [path];
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) => {
    const below = join(path, name);
    if (isDirectory) return sources(below);
    return /^(config|.*_config)\.ts$/.test(name) || !name.endsWith(".ts")
      ? []
      : [below];
  });
}

/** The keys nobody reads where they should be read, as dotted paths. */
function unread(): string[] {
  const readsOf = new Map(
    new Set(Object.values(BROTR).flat()).values()
      .map((place) => [place, readsBelow(place)]),
  );
  return leafPaths(brotrConfig).filter((path) => {
    const [, places = []] = Object.entries(BROTR).find(([pattern]) =>
      matches(pattern, path.join("."))
    ) ?? [];
    return !path.every((key) =>
      places.some((place) =>
        readsOf.get(place)?.has(key)
      )
    );
  }).map((path) => path.join("."));
}

function matches(pattern: string, dotted: string): boolean {
  return pattern === dotted ||
    (pattern.endsWith("*") && dotted.startsWith(pattern.slice(0, -1)));
}

// The services' keys are recorded while the services run: tests/integration/services/config_effect_test.ts.
Deno.test("every key of config/brotr.yaml is read by the part it is for", () => {
  deepStrictEqual(unread(), []);
});

Deno.test("propertyReads() sees what is read, not what is only written, declared or said", () => {
  const source = `
    interface Shape { declared: string }
    const { destructured, renamed: other, nested: { deep } } = settings;
    settings.read; settings?.optional; call(settings.passed);
    settings.assigned = 5;
    const literal = { written: 1, "quoted": 2 };
    // settings.commented
    log("settings.said");
    settings["computed"];`;
  deepStrictEqual(
    [...propertyReads("a.ts", source)].sort(),
    ["deep", "destructured", "nested", "optional", "passed", "read", "renamed"],
  );
});
