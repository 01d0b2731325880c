/**
 * Known answers of the reference implementations (hoytech/negentropy, MIT): what they fingerprint and send.
 *
 * @module
 */
import type { Key } from "./key_sets.ts";

/** Three events, and the fingerprints of the first one, two, three of them. */
export const THREE: readonly Key[] = [
  {
    createdAt: 1678011277,
    id: "eb6b05c2e3b008592ac666594d78ed83e7b9ab30f825b9b08878128f7500008c",
  },
  {
    createdAt: 1678011278,
    id: "39b916432333e069a4386917609215cc688eb99f06fed01aadc29b1b4b92d6f0",
  },
  {
    createdAt: 1678011279,
    id: "abc81d58ebe3b9a87100d47f58bf15e9b1cbf62d38623f11d0f0d17179f5f3ba",
  },
];

export const THREE_FINGERPRINTS = [
  "6d74e1212fcafc8a81d090f0ffbde8b0",
  "96b26d110825d4b1805fc56988a3e65d",
  "c15ce60f185fd24ae341076caa93daa5",
] as const;

/** The first message of who holds the three. */
export const THREE_MESSAGE = "6100000203" + THREE.map(({ id }) => id).join("");
