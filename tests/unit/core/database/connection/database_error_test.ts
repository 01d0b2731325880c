import { equal } from "node:assert/strict";
import postgres from "postgres";
import {
  DatabaseError,
  isConnectionFailure,
  isTransient,
} from "../../../../../src/core/database/connection/database_error.ts";
import { CircuitOpen } from "../../../../../src/core/lifecycle/breaker.ts";

Deno.test("isTransient() and isConnectionFailure() go by SQLSTATE and code", () => {
  const cases: [string, unknown, boolean, boolean][] = [
    ["serialisation", sqlState("40001"), true, false],
    ["deadlock", sqlState("40P01"), true, false],
    ["too many connections", sqlState("53300"), true, false],
    ["shutdown by an administrator", sqlState("57P01"), true, true],
    ["starting up", sqlState("57P03"), true, true],
    ["connection failure", sqlState("08006"), true, true],
    ["PgBouncer has lost its server", sqlState("08P01"), true, true],
    ["cancelled", sqlState("57014"), false, false],
    ["disk full", sqlState("53100"), false, false],
    ["unique violation", sqlState("23505"), false, false],
    ["syntax", sqlState("42601"), false, false],
    ["closed", coded("CONNECTION_CLOSED"), true, true],
    ["reset", coded("ECONNRESET"), true, true],
    ["a socket that is gone", system("EBADF"), true, true],
    ["some other code", coded("ERR_INVALID_ARG_TYPE"), false, false],
    ["a bug", new TypeError("x is undefined"), false, false],
    ["unreachable", new DatabaseError("unreachable", ""), true, true],
    ["read-only", new DatabaseError("read-only", ""), true, true],
    ["timeout", new DatabaseError("timeout", ""), false, false],
    ["circuit", new CircuitOpen("The database", 5, null), true, false],
    ["no error at all", "text", false, false],
  ];
  for (const [name, error, transient, connection] of cases) {
    equal(isTransient(error), transient, name);
    equal(isConnectionFailure(error), connection, name);
  }
});

function sqlState(code: string): Error {
  const error = new postgres.PostgresError("as the server says");
  return Object.assign(error, { code });
}

function system(code: string): Error {
  return Object.assign(coded(code), { errno: -9, syscall: "write" });
}

function coded(code: string): Error {
  return Object.assign(new Error("as the driver says"), { code });
}
