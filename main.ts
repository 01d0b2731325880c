/**
 * BigBrotr: archives and monitors the whole Nostr network.
 *
 * @module
 */
import { main } from "./src/cli/main.ts";

// All is flushed and closed by now; a handle some library still holds must not keep the process.
Deno.exit(await main(Deno.args));
