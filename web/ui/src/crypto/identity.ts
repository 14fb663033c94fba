/**
 * Identities: what opens files. They live in the worker only.
 *
 * Rules:
 * - An identity shows its secret in no text, no JSON and no error; it cannot be cloned to another thread.
 * - From it follow its recipient and the member key, with which its holder signs.
 */

import { identityToRecipient } from "age-encryption";
import { BadIdentity } from "../errors.js";
import { type Decoded, decode, encode } from "./bech32.js";
import { derive } from "./derive.js";
import * as ed25519 from "./ed25519.js";
import type { Bytes } from "../bytes.js";
import { type Unwrapper, identityUnwrapper } from "../seal/unwrapper.js";

const KINDS: Readonly<Record<string, Kind>> = {
  "age-secret-key-": "x25519",
  "age-secret-key-pq-": "mlkem768x25519",
};
const PREFIXES = { x25519: "age-secret-key-", mlkem768x25519: "age-secret-key-pq-" } as const;
const SECRET_BYTES = 32;
const NONE = new Uint8Array();

/** Classic or post-quantum. */
export type Kind = "x25519" | "mlkem768x25519";

/** One identity, `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`. */
export class Identity {
  readonly kind: Kind;
  readonly unwrapper: Unwrapper;
  readonly #secret: Bytes;

  /** `secret`: 32 bytes. Throws BadIdentity for another length. */
  constructor(kind: Kind, secret: Bytes) {
    if (secret.length !== SECRET_BYTES) {
      throw new BadIdentity("This is not an identity: its secret has the wrong length.");
    }
    this.kind = kind;
    this.#secret = secret.slice();
    this.unwrapper = identityUnwrapper(this.#text());
  }

  /** What to seal to, so that this identity opens it. */
  recipient(): Promise<string> {
    return identityToRecipient(this.#text());
  }

  /** The 32 bytes by which others check what the holder signs. */
  memberKey(): Bytes {
    return ed25519.publicKey(this.#seed());
  }

  /** The holder's signature over `message`: 64 bytes. */
  sign(message: Bytes): Promise<Bytes> {
    return ed25519.sign(this.#seed(), message);
  }

  toString(): string {
    return `an identity (${this.kind})`;
  }

  #seed(): Bytes {
    return derive(this.#secret, NONE, `sealed-nvr/member-key/v1/${this.kind}`);
  }

  #text(): string {
    return encode(PREFIXES[this.kind], this.#secret).toUpperCase();
  }
}

/**
 * The identities of an identity file: one a line; empty lines and lines that begin with # are skipped.
 * Throws BadIdentity, which names the line and never repeats it.
 */
export function parseIdentities(text: string): Identity[] {
  const found = text.split(/\r\n|\r|\n/).flatMap((line, at) => {
    const skipped = line.trim() === "" || line.startsWith("#");
    return skipped ? [] : [parseOne(line.trim(), `Line ${at + 1} of the identity file`)];
  });
  if (found.length === 0) {
    throw new BadIdentity("There is no identity in this file: it has no line that begins with AGE-SECRET-KEY-.");
  }
  return found;
}

function parseOne(text: string, where: string): Identity {
  const { prefix, data } = decoded(text, where);
  const kind = KINDS[prefix];
  if (kind !== undefined && text.toUpperCase() !== text) {
    throw new BadIdentity(`${where} is not an identity: it must be in capital letters.`);
  }
  if (kind !== undefined) return new Identity(kind, data);
  if (prefix === "age" || prefix === "age1pq") {
    throw new BadIdentity(`${where} is a recipient, which opens nothing: give the identity that belongs to it.`);
  }
  throw new BadIdentity(`${where} is an identity of a kind that we cannot use.`);
}

function decoded(text: string, where: string): Decoded {
  try {
    return decode(text);
  } catch (fault) {
    const why = fault instanceof RangeError ? fault.message : "it cannot be read";
    throw new BadIdentity(`${where} is not an identity (AGE-SECRET-KEY-…): ${why}.`);
  }
}
