/**
 * Valid events that break careless code: all of them verify, so all of them must survive.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import type { EventFactory } from "./event_factory.ts";

/** One event per edge case, by its name. */
export function edgeCaseEvents(
  { sign, pubkey }: EventFactory,
): Record<string, NostrEvent> {
  return {
    "empty content, no tags": sign({ content: "" }),
    "U+0000 in the content": sign({ content: "before\0after" }),
    "U+0000 in a tag": sign({ tags: [["t", "a\0b"], ["\0", "name"]] }),
    "lone surrogates in the content": sign({ content: "\ud800 and \udfff" }),
    "a lone surrogate in a tag": sign({ tags: [["t", "x\udc00y"]] }),
    "an escape that is only text": sign({ content: "\\u0000 \\ud800 \\\\" }),
    "U+FFFD, as a replacement would look": sign({ content: "\ufffd\ufffe" }),
    "every control character": sign({ content: controlCharacters() }),
    "line separators": sign({ content: "a\u2028b\u2029c\r\nd\u0085e" }),
    "emoji, combining marks, right to left": sign({
      content: "👩‍👩‍👧‍👦 e\u0301 \u202eabc\u202c שלום",
    }),
    "names of the object prototype": sign({
      tags: [["__proto__", "constructor"], ["d", "toString"]],
      content: '{"__proto__":{"polluted":true}}',
    }),
    "SQL and COPY text": sign({
      content: `'); drop table event; -- \\N \t \\.\n{"a":"b"}`,
    }),
    "empty tags and empty strings": sign({
      tags: [[], [""], ["e"], ["p", ""]],
    }),
    "a tag of 1000 items": sign({ tags: [manyTexts(1000)] }),
    "10 000 tags": sign({
      kind: 3,
      tags: manyTexts(10_000).map((text) => ["p", pubkey(0), "", text]),
    }),
    "a tag value of 100 kB": sign({ tags: [["t", "v".repeat(100_000)]] }),
    "content of 1 MB": sign({ content: "0123456789abcdef".repeat(65_536) }),
    "the first second": sign({ createdAt: 0 }),
    "milliseconds as seconds": sign({ createdAt: 1_748_736_000_123 }),
    "the last second a number can hold": sign({
      createdAt: Number.MAX_SAFE_INTEGER,
    }),
    "the highest kind": sign({ kind: 65_535 }),
  };
}

/** Events that share one second, as bots and imports make them. */
export function sameSecondEvents(
  { sign }: EventFactory,
  { count, createdAt, authors = 1 }: {
    count: number;
    createdAt: number;
    authors?: number;
  },
): NostrEvent[] {
  return Array.from(
    { length: count },
    (_, index) => sign({ author: index % authors, createdAt }),
  );
}

function controlCharacters(): string {
  return String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code)) +
    "\x7f\x80\x9f";
}

function manyTexts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `text ${index}`);
}
