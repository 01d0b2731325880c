/**
 * Messages to operators about the relays they watch, as private messages (NIP-17).
 *
 * @module
 */
import {
  EventReader,
  LiteArchiveError,
} from "../../archive/reading/event_reader.ts";
import type { OutboxEvent } from "../../archive/outbox.ts";
import type { Context } from "../../core/lifecycle/service.ts";
import { parsePublicKey } from "../../models/public_key.ts";
import { directMessage, messageRelays } from "../../nips/nip17.ts";
import type { Alert } from "./alert.ts";
import type { MonitorConfig } from "./config.ts";
import { type Publisher, usableRelays } from "./publish/publisher.ts";

const MESSAGE_RELAYS_KIND = 10_050;

/** Writes a message to each operator about each alert, for the relays where they read them. */
export async function alertMessages(
  ctx: Context<MonitorConfig>,
  publisher: Publisher,
  alerts: readonly Alert[],
): Promise<OutboxEvent[]> {
  if (alerts.length === 0) return [];
  const { config, log } = ctx;
  const messages: OutboxEvent[] = [];
  for (const text of config.alerts.operators) {
    const operator = parsePublicKey(text);
    if (!operator.ok) continue;
    const relays = await relaysOf(ctx, publisher, operator.value);
    if (relays.length === 0) {
      log.warn("operator not told, no relay to send to", { operator: text });
      continue;
    }
    for (const alert of alerts) {
      log.info("operator is told of a watched relay", {
        relay: alert.url,
        state: alert.isUp ? "online again" : "offline",
        operator: text,
      });
      messages.push(message(alert, relays, {
        key: publisher.key,
        receiver: operator.value,
        expireHours: config.alerts.expireHours,
      }));
    }
  }
  return messages;
}

/** His own choice where it is known, else what the configuration says. */
async function relaysOf(
  ctx: Context<MonitorConfig>,
  publisher: Publisher,
  operator: string,
): Promise<string[]> {
  const { config } = ctx;
  const chosen = await chosenRelays(ctx, operator);
  if (chosen.length > 0) return chosen;
  const configured = usableRelays(config.alerts.relays, config);
  const relays = configured.length > 0 ? configured : publisher.relays;
  return relays.map(({ url }) => url);
}

async function chosenRelays(
  { config, database, signal }: Context<MonitorConfig>,
  operator: string,
): Promise<string[]> {
  const filter = {
    kinds: [MESSAGE_RELAYS_KIND],
    authors: [operator],
    limit: 1,
  };
  try {
    const found = new EventReader(database).events([filter], signal);
    for await (const [event] of found) {
      if (event === undefined) continue;
      const urls = messageRelays(event, config).map(({ url }) => url);
      return usableRelays(urls, config).map(({ url }) => url);
    }
  } catch (error) {
    if (!(error instanceof LiteArchiveError)) throw error;
  }
  return [];
}

function message(
  alert: Alert,
  relays: readonly string[],
  { key, receiver, expireHours }: {
    readonly key: Uint8Array;
    readonly receiver: string;
    readonly expireHours: number;
  },
): OutboxEvent {
  const event = directMessage(alertText(alert), {
    key,
    receiver,
    subject: alert.isUp ? "Relay back" : "Relay down",
  });
  const { at: createdAt } = alert;
  return {
    event,
    d: event.id,
    createdAt,
    expiresAt: createdAt + expireHours * 3_600,
    fingerprint: event.id,
    relays,
  };
}

/** An alert as a sentence for people. */
function alertText({ url, at, isUp, downtime }: Alert): string {
  const { since, failures, cause } = downtime;
  return isUp
    ? `${url} is back since ${moment(at)}. It was down since ${
      moment(since)
    }, for ${duration(at - since)}: ${cause}`
    : `${url} is down since ${
      moment(since)
    } (failed checks: ${failures}): ${cause}`;
}

function moment(seconds: number): string {
  const text = new Date(seconds * 1_000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
