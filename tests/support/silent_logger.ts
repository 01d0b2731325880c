/**
 * Logger that writes nothing.
 *
 * @module
 */
import { createLogger, type Logger } from "../../src/core/log/logger.ts";

export function silentLogger(): Logger {
  return createLogger({
    level: "error",
    format: "text",
    time: "iso",
    service: "",
    sink: { write: () => {}, [Symbol.dispose]: () => {} },
  });
}
