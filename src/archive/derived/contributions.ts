/**
 * What one event counts for in the assertions of NIP-85. `kind_is_asserted()` in SQL says which kinds count at all.
 *
 * @module
 */

type Tags = readonly (readonly string[])[];

/** Counters of an author, in the order of the columns of `author_fact`. */
export const AUTHOR_COUNTERS = [
  "posts",
  "replies",
  "reactionsSent",
  "reactionsReceived",
  "repostsSent",
  "repostsReceived",
  "reportsSent",
  "reportsReceived",
  "zapsSent",
  "zapsReceived",
  "unverifiedZaps",
] as const;

/** Counters of an event or an address, in the order of the columns of `target_fact`. */
export const TARGET_COUNTERS = [
  "comments",
  "quotes",
  "reposts",
  "reactions",
  "zaps",
  "unverifiedZaps",
] as const;

export type AuthorCounter = typeof AUTHOR_COUNTERS[number];
export type TargetCounter = typeof TARGET_COUNTERS[number];

/** An event of a kind that counts, without receipts of zaps. */
export interface AssertedEvent {
  readonly kind: number;
  /** Hex. */
  readonly pubkey: string;
  readonly tags: Tags;
}

/** Takes what an event counts for. */
export interface Counting {
  /** @param pubkey Hex. */
  author(pubkey: string, counter: AuthorCounter): void;
  topic(pubkey: string, topic: string): void;
  /** @param target Id of an event, or an address; both as tags have them, and unchecked. */
  target(target: string, counter: TargetCounter): void;
}

/** Topics and quotes of one event that count. */
const MAX_PER_EVENT = 10;

const MAX_TOPIC_CHARACTERS = 50;

const HEX = /^[0-9a-f]{64}$/;

/** Whether the text is an id or a public key. */
export function isKey(text: string | undefined): text is string {
  return text !== undefined && HEX.test(text);
}

/** Counts an event once for each author, topic and target it concerns. */
export function countEvent(event: AssertedEvent, counting: Counting): void {
  switch (event.kind) {
    case 1:
      return countNote(event, counting);
    case 1_111:
      return countComment(event, counting);
    case 6:
    case 16:
      return countAction(event, counting, {
        sent: "repostsSent",
        received: "repostsReceived",
        done: "reposts",
      });
    case 7:
      return countAction(event, counting, {
        sent: "reactionsSent",
        received: "reactionsReceived",
        done: "reactions",
      });
    case 1_984: {
      counting.author(event.pubkey, "reportsSent");
      const reported = valuesOf(event.tags, "p")[0];
      if (isKey(reported)) counting.author(reported, "reportsReceived");
    }
  }
}

function countNote({ pubkey, tags }: AssertedEvent, counting: Counting): void {
  const parent = parentOf(tags);
  counting.author(pubkey, parent === undefined ? "posts" : "replies");
  if (parent !== undefined) counting.target(parent, "comments");
  countMentions({ pubkey, tags }, counting);
}

/**
 * The event that a note answers (NIP-10): that marked `reply`, else that marked `root`, else the last without a marker.
 * Undefined for a post.
 */
function parentOf(tags: Tags): string | undefined {
  const references = tags.filter(([name, id]) => name === "e" && isKey(id));
  const marked = (marker: string) =>
    references.findLast((tag) => tag[3] === marker);
  const parent = marked("reply") ?? marked("root") ??
    references.findLast((tag) => !tag[3]);
  return parent?.[1];
}

function countComment(
  { pubkey, tags }: AssertedEvent,
  counting: Counting,
): void {
  counting.author(pubkey, "replies");
  for (const name of ["e", "a"]) {
    const parent = valuesOf(tags, name)[0];
    if (parent !== undefined) counting.target(parent, "comments");
  }
  countMentions({ pubkey, tags }, counting);
}

function countMentions(
  { pubkey, tags }: Pick<AssertedEvent, "pubkey" | "tags">,
  counting: Counting,
): void {
  for (const topic of firstOf(valuesOf(tags, "t").flatMap(topicOf))) {
    counting.topic(pubkey, topic);
  }
  for (const quoted of firstOf(valuesOf(tags, "q"))) {
    counting.target(quoted, "quotes");
  }
}

/** A topic in the spelling that is counted; nothing for what is too long to be one. */
function topicOf(value: string): string[] {
  const topic = value.trim().replace(/^#/, "").toLowerCase();
  const isTopic = topic.length > 0 && topic.length <= MAX_TOPIC_CHARACTERS &&
    topic.isWellFormed();
  return isTopic ? [topic] : [];
}

function firstOf(values: readonly string[]): string[] {
  return [...new Set(values)].slice(0, MAX_PER_EVENT);
}

/** NIP-18 and NIP-25: what it is done to, and to whom, is named last. */
function countAction(
  { pubkey, tags }: AssertedEvent,
  counting: Counting,
  { sent, received, done }: {
    readonly sent: AuthorCounter;
    readonly received: AuthorCounter;
    readonly done: TargetCounter;
  },
): void {
  counting.author(pubkey, sent);
  const recipient = valuesOf(tags, "p").at(-1);
  if (isKey(recipient)) counting.author(recipient, received);
  for (const name of ["e", "a"]) {
    const target = valuesOf(tags, name).at(-1);
    if (target !== undefined) counting.target(target, done);
  }
}

export function valuesOf(tags: Tags, name: string): string[] {
  return tags.flatMap(([key, value]) =>
    key === name && value !== undefined ? [value] : []
  );
}
