/**
 * `bigbrotr check URL…`: all checks of a monitor on these relays, now.
 *
 * @module
 */
import { optedOutHosts } from "../../core/config/opt_out.ts";
import { workInQueues } from "../../core/lifecycle/queues.ts";
import { type Network, slotsOf } from "../../models/network.ts";
import type { RelayUrl } from "../../models/relay_url.ts";
import { checkRelay } from "../../services/monitor/check_relay.ts";
import { monitor } from "../../services/monitor/mod.ts";
import { createDialer } from "../../transport/dialer.ts";
import { userAgent } from "../../transport/user_agent.ts";
import {
  CHECK_OPTIONS,
  checkDepsOf,
  checksToMake,
  networksToCheck,
  wantedChecks,
} from "../options/check_options.ts";
import { RELAY_ARGUMENT, relayArguments } from "../options/relay_arguments.ts";
import {
  checkJson,
  checkText,
  type Examination,
} from "../reports/check_report.ts";
import type { Command, Invocation } from "../command.ts";
import { textColumns } from "../terminal/output.ts";
import { paintFor } from "../terminal/paint.ts";

export const checkCommand: Command = {
  name: "check",
  summary: "Look at relays now: health, certificate, place, capabilities",
  description:
    `Makes every check of the monitor at once on each relay, and needs no database: round-trip times, NIP-11, certificate,
DNS, place, network, HTTP headers. Writing is tested when there is a key, the place and the network are looked up when
there are MMDB files. The JSON has the kind 30166 event that a monitor would publish, unsigned.

Exits 0 when at least one of the relays is online, 1 when none is.`,
  arguments: [RELAY_ARGUMENT],
  options: CHECK_OPTIONS,
  examples: [
    { command: "check wss://relay.example", does: "all there is to know" },
    {
      command: "check wss://relay.example --only tls,dns --json",
      does: "two of the checks, for programs",
    },
    {
      command: "check ws://….onion --proxy socks5://127.0.0.1:9050",
      does: "a relay on Tor",
    },
  ],
  run: checkRelays,
};

async function checkRelays(invocation: Invocation): Promise<number> {
  const { options, stdout, screen } = invocation;
  const config = invocation.serviceConfig(monitor);
  const allowPrivate = config.allowPrivate || options.flag("allow-private");
  const relays = relayArguments(invocation.arguments, {
    verb: "check",
    allowPrivate,
  });
  const networks = networksToCheck(config, options, relays);
  const deps = checkDepsOf(config, options);
  const checks = wantedChecks(options);
  const settings = { networks, checks: checksToMake(config, options) };
  const paint = paintFor(stdout);
  const dialer = createDialer({
    ...config,
    networks,
    allowPrivate,
    userAgent: userAgent(config.contact),
    optOut: optedOutHosts(config),
  });
  const waiting = [...relays];
  let online = 0;
  const show = (examination: Examination) => {
    online += examination.findings.rtt.failure === null ? 1 : 0;
    screen.show([]);
    stdout.write(
      options.flag("json")
        ? `${JSON.stringify(checkJson(examination, deps.secretKey))}\n`
        : checkText(examination, { paint, columns: textColumns(stdout) }),
    );
  };
  screen.show([`checking ${relays.map(({ url }) => url).join(", ")}`]);
  await workInQueues({
    slots: slotsOf(networks),
    askAgainMs: 60_000,
    take: (network) => Promise.resolve(takeOf(waiting, network)),
    work: async (relay, signal) => {
      const target = { ...deps, dialer, relay, config: settings, signal };
      const findings = await checkRelay(target, {
        checkedAt: Math.floor(Date.now() / 1_000),
        checks,
        regardless: true,
      });
      if (!signal.aborted) show({ relay, checks, findings });
    },
  }, invocation.signal);
  screen.show([]);
  return online > 0 ? 0 : 1;
}

function takeOf(waiting: RelayUrl[], network: Network): RelayUrl[] {
  const mine = waiting.filter((relay) => relay.network === network);
  for (const relay of mine) waiting.splice(waiting.indexOf(relay), 1);
  return mine;
}
