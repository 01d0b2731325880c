import { deepStrictEqual } from "node:assert/strict";
import { memorySettings } from "../../../../../src/core/database/embedded/settings.ts";

const GIB = 1024 ** 3;

Deno.test("memorySettings() takes its share of small and large machines within bounds", () => {
  deepStrictEqual(memorySettings(GIB / 4), {
    shared_buffers: 64,
    effective_cache_size: 128,
    maintenance_work_mem: 32,
    work_mem: 4,
  });
  deepStrictEqual(memorySettings(16 * GIB), {
    shared_buffers: 4_096,
    effective_cache_size: 8_192,
    maintenance_work_mem: 1_024,
    work_mem: 32,
  });
  deepStrictEqual(memorySettings(512 * GIB), {
    shared_buffers: 16_384,
    effective_cache_size: 65_536,
    maintenance_work_mem: 1_024,
    work_mem: 64,
  });
});
