/**
 * A community of authors as relays know them: profiles, relay lists, notes, reactions, articles, monitors.
 *
 * @module
 */
import type { NostrEvent } from "../../src/models/event.ts";
import type { EventDraft, EventFactory } from "./event_factory.ts";

export interface CommunityOptions {
  /** How many events; each author's five lists come first. */
  readonly count: number;
  readonly authors: number;
  /** Number of the first author, to keep communities apart. Default: 0. */
  readonly firstAuthor?: number;
  /** The relays that lists and hints point at. */
  readonly relays: readonly string[];
  /** Events are dated from here on, `spanSeconds` wide (unix seconds). */
  readonly since: number;
  readonly spanSeconds: number;
}

/** What a draft is made from. */
interface Scene extends CommunityOptions {
  readonly factory: EventFactory;
  /** Notes so far, to reply to. */
  readonly notes: NostrEvent[];
}

type Drafting = (scene: Scene) => EventDraft;

/** Makes the events of a community, all different; of replaceable events each author has one version. */
export function communityEvents(
  factory: EventFactory,
  options: CommunityOptions,
): NostrEvent[] {
  const scene = { ...options, factory, notes: [] };
  // By id, as two reactions of one author in one second can be the same event.
  const events = new Map<string, NostrEvent>();
  const add = (event: NostrEvent) => events.set(event.id, event);
  for (let author = 0; author < options.authors; author++) {
    for (const list of AUTHOR_LISTS) add(sign(scene, list, author));
  }
  while (events.size < options.count) add(sign(scene, factory.pick(TRAFFIC)));
  return [...events.values()].slice(0, options.count);
}

function sign(
  scene: Scene,
  draft: Drafting,
  author = scene.factory.number(scene.authors),
): NostrEvent {
  const { factory, firstAuthor = 0, since, spanSeconds, notes } = scene;
  const event = factory.sign({
    ...draft(scene),
    author: firstAuthor + author,
    createdAt: since + factory.number(spanSeconds),
  });
  if (event.kind === 1) notes.push(event);
  return event;
}

/** What every author has exactly once. */
const AUTHOR_LISTS: readonly Drafting[] = [
  ({ factory }) => ({
    kind: 0,
    content: JSON.stringify({ name: `author ${factory.number(1e6)}` }),
  }),
  (scene) => ({
    kind: 3,
    tags: [someone(scene), someone(scene), someone(scene)],
    content: JSON.stringify({ [hint(scene)]: { read: true, write: true } }),
  }),
  (scene) => ({
    kind: 10002,
    tags: [["r", hint(scene)], ["r", hint(scene), "write"]],
    content: "",
  }),
  (scene) => ({ kind: 10050, tags: [["relay", hint(scene)]], content: "" }),
  (scene) => ({ kind: 30166, tags: [["d", hint(scene)], ["rtt-open", "9"]] }),
];

/** The rest, about as often as it is listed. */
const TRAFFIC: readonly Drafting[] = [
  note,
  note,
  note,
  reply,
  reply,
  reaction,
  reaction,
  reaction,
  (scene) => ({ kind: 6, tags: [noteTag(scene)], content: "" }),
  (scene) => ({ kind: 4, tags: [someone(scene)], content: "c2VjcmV0?iv=aXY=" }),
  (scene) => ({ kind: 1059, tags: [someone(scene)], content: "c2VhbGVk" }),
  (scene) => ({ kind: 5, tags: [noteTag(scene)], content: "by mistake" }),
  (scene) => ({ kind: 1111, tags: [noteTag(scene), someone(scene)] }),
  (scene) => ({ kind: 1984, tags: [someone(scene)], content: "spam" }),
  (scene) => ({ kind: 9735, tags: [someone(scene), noteTag(scene)] }),
  ({ factory }) => ({
    kind: 30023,
    tags: [["d", `article-${factory.number(2 ** 32)}`], ["title", "On relays"]],
    content: "Long form. ".repeat(1 + factory.number(200)),
  }),
  (scene) => ({
    kind: 30002,
    tags: [["d", `set-${scene.factory.number(2 ** 32)}`], [
      "relay",
      hint(scene),
    ]],
  }),
];

function note({ factory }: Scene): EventDraft {
  return {
    tags: [["t", factory.pick(["nostr", "bitcoin", "grownostr", "写真"])]],
  };
}

function reply(scene: Scene): EventDraft {
  return { tags: [noteTag(scene), someone(scene)] };
}

function reaction(scene: Scene): EventDraft {
  return {
    kind: 7,
    tags: [noteTag(scene), someone(scene)],
    content: scene.factory.pick(["+", "🤙", "❤️", "-"]),
  };
}

/** An `e` tag with a relay hint: a note of the community, or one that nobody has. */
function noteTag({ factory, notes, relays }: Scene): string[] {
  const id = notes.length === 0 ? "0".repeat(64) : factory.pick(notes).id;
  return ["e", id, factory.pick(relays)];
}

function someone(
  { factory, firstAuthor = 0, authors, relays }: Scene,
): string[] {
  const author = firstAuthor + factory.number(authors);
  return ["p", factory.pubkey(author), factory.pick(relays)];
}

function hint({ factory, relays }: Scene): string {
  return factory.pick(relays);
}
