/**
 * Signed lines: one JSON text and one Ed25519 signature in a line that a person can read.
 *
 *     <canonical JSON> <base64 of the signature>\n
 *
 * Rules:
 * - There is one spelling of each noun: names in the order of their code points, no spaces, ASCII, whole numbers
 *   (within ±2^53 here), no name twice. Whatever is spelled otherwise is refused.
 * - What is signed is `sealed-nvr/<purpose>/v1`, a line feed, and the JSON: a signature given for one purpose is
 *   worth nothing for another.
 */

import { type Bytes, concat, decodeText, encodeText, fromBase64, toBase64, toHex } from "../bytes.js";
import { BadSignature } from "../errors.js";
import { digest } from "./derive.js";
import * as ed25519 from "./ed25519.js";

/** What JSON can say here. */
export type Json = string | number | boolean | null | readonly Json[] | Noun;
/** An object of it. */
export interface Noun {
  readonly [name: string]: Json;
}
/** Whoever can sign: an Identity, by its member key. */
export interface Signer {
  /** 64 bytes. */
  sign(message: Bytes): Promise<Bytes>;
}

const LF = 10;
const SIGNATURE_LETTERS = 88;

/** The one spelling of `noun`. Throws RangeError for numbers that have none. */
export function canonical(noun: Noun): Bytes {
  return encodeText(spell(noun));
}

/** A noun and its signature, which `check` has yet to verify. */
export class SignedLine {
  readonly noun: Noun;
  readonly body: Bytes;
  readonly signature: Bytes;

  constructor(noun: Noun, body: Bytes, signature: Bytes) {
    this.noun = noun;
    this.body = body;
    this.signature = signature;
  }

  /** The noun in a line, with its line feed or without. Throws BadSignature if it is none. */
  static parse(line: Bytes): SignedLine {
    const end = line.at(-1) === LF ? line.length - 1 : line.length;
    const space = line.lastIndexOf(32, end - 1);
    const signature = fromBase64(ascii(line.slice(space + 1, end)));
    if (space < 0 || end - space - 1 !== SIGNATURE_LETTERS || signature?.length !== 64) throw notOne();
    const body = line.slice(0, space);
    return new SignedLine(parseCanonical(body), body, signature);
  }

  /** SHA-256 of the JSON in hex: what the next in a series refers to. */
  get digest(): string {
    return toHex(digest(this.body));
  }

  /** Returns if the owner of `publicKey` (32 bytes) signed it for `purpose`. Throws BadSignature. */
  async check(purpose: string, publicKey: Bytes): Promise<void> {
    if (!(await ed25519.verify(publicKey, this.signature, message(purpose, this.body)))) {
      throw new BadSignature("The signature does not fit: it was changed, or somebody else signed.");
    }
  }

  /** The line, with its line feed. */
  toBytes(): Bytes {
    return concat([this.body, encodeText(` ${toBase64(this.signature)}\n`)]);
  }
}

/** The noun, signed. Throws RangeError for what has no canonical spelling. */
export async function sign(purpose: string, noun: Noun, signer: Signer): Promise<SignedLine> {
  const body = canonical(noun);
  return new SignedLine(noun, body, await signer.sign(message(purpose, body)));
}

/** Whether it is an object, not a list and not null. */
export function isNoun(value: unknown): value is Noun {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function message(purpose: string, body: Bytes): Bytes {
  return concat([encodeText(`sealed-nvr/${purpose}/v1\n`), body]);
}

function parseCanonical(body: Bytes): Noun {
  try {
    const text = decodeText(body);
    const noun: unknown = JSON.parse(text);
    if (isNoun(noun) && spell(noun) === text) return noun;
  } catch {
    // What cannot be read, is nested beyond the stack, or has no spelling: refused below.
  }
  throw notOne();
}

function notOne(): BadSignature {
  return new BadSignature("It is not a signed line: its text was changed or cut off.");
}

function ascii(data: Bytes): string {
  return String.fromCharCode(...data.subarray(0, SIGNATURE_LETTERS + 1));
}

function spell(value: Json): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError("not a whole number");
  if (typeof value !== "object" || value === null) return String(value);
  if (isNoun(value)) {
    const names = Object.keys(value).sort(byCodePoint);
    return `{${names.map((name) => `${quote(name)}:${spell(value[name] ?? null)}`).join(",")}}`;
  }
  return `[${value.map(spell).join(",")}]`;
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function byCodePoint(one: string, other: string): number {
  const ones = Array.from(one, (letter) => letter.codePointAt(0) ?? 0);
  const others = Array.from(other, (letter) => letter.codePointAt(0) ?? 0);
  const at = ones.findIndex((point, place) => point !== others[place]);
  return at < 0 ? ones.length - others.length : (ones[at] ?? 0) - (others[at] ?? -1);
}
