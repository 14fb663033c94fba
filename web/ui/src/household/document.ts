/**
 * Manifests as text: the noun of a signed line, read into a Manifest. Pure, and strict: every name is always
 * there, and no other; every value has the one type that it can have. Whether the rules are kept is not asked.
 */

import type { Bytes } from "../bytes.js";
import { type Json, type Noun, SignedLine, isNoun } from "../crypto/signed_line.js";
import { ManifestDamaged } from "./errors.js";
import type { Device, Generation, Group, Manifest, Member } from "./model.js";

const LAST_NUMBER = 999_999_999;
const LAST_MS = 253_402_300_799_999;

/** A manifest and the line that it was read from, whose signature `succession` checks. */
export interface SignedManifest {
  readonly manifest: Manifest;
  readonly line: SignedLine;
}

/** The manifest in a line. Throws ManifestDamaged. */
export function parseManifest(line: Bytes): SignedManifest {
  let signed: SignedLine;
  try {
    signed = SignedLine.parse(line);
  } catch {
    throw new ManifestDamaged("it is not a signed line: its text was changed or cut off");
  }
  return { manifest: manifestOf(signed.noun), line: signed };
}

function manifestOf(noun: Noun): Manifest {
  const fields = new Fields(noun, "the manifest");
  return fields.done({
    version: fields.number("version", 1, LAST_NUMBER),
    previous: fields.hex("previous", [0, 32]),
    madeMs: fields.number("made_ms", 0, LAST_MS),
    signedBy: fields.text("signed_by"),
    postQuantum: fields.yesOrNo("post_quantum"),
    defaultGroup: fields.text("default_group"),
    members: fields.each("members", memberOf),
    groups: fields.each("groups", groupOf),
    devices: fields.each("devices", deviceOf),
  });
}

function memberOf(noun: Json): Member {
  const fields = new Fields(noun, "a member");
  return fields.done({
    name: fields.text("name"),
    role: roleOf(fields.text("role")),
    recipient: fields.text("recipient"),
    memberKey: fields.hex("member_key", [0, 32]),
    groups: fields.each("groups", nameOf),
  });
}

function groupOf(noun: Json): Group {
  const fields = new Fields(noun, "a group");
  return fields.done({
    name: fields.text("name"),
    cameras: fields.each("cameras", nameOf),
    generations: fields.each("generations", generationOf),
  });
}

function generationOf(noun: Json): Generation {
  const fields = new Fields(noun, "a generation");
  return fields.done({
    number: fields.number("number", 1, LAST_NUMBER),
    recipient: fields.text("recipient"),
    fromMs: fields.number("from_ms", 0, LAST_MS),
  });
}

function deviceOf(noun: Json): Device {
  const fields = new Fields(noun, "a device");
  return fields.done({
    device: fields.hex("device", [16]),
    dayKey: fields.hex("day_key", [32]),
    fromMs: fields.number("from_ms", 0, LAST_MS),
  });
}

function roleOf(text: string): Member["role"] {
  if (text === "owner" || text === "viewer") return text;
  throw new ManifestDamaged('"role" of a member is not owner or viewer');
}

function nameOf(value: Json): string {
  if (typeof value === "string") return value;
  throw new ManifestDamaged("a list of names holds something else");
}

/** An object of the JSON, asked for each of its values once. Everything throws ManifestDamaged. */
class Fields {
  readonly #noun: Noun;
  readonly #where: string;
  readonly #asked = new Set<string>();

  constructor(noun: Json, where: string) {
    if (!isNoun(noun)) throw new ManifestDamaged(`what stands for ${where} is not an object`);
    this.#noun = noun;
    this.#where = where;
  }

  number(name: string, first: number, last: number): number {
    const value = this.#value(name);
    const isOne = typeof value === "number" && Number.isInteger(value) && value >= first && value <= last;
    return isOne ? value : this.#refuse(name, `a whole number from ${first} to ${last}`);
  }

  text(name: string): string {
    const value = this.#value(name);
    return typeof value === "string" ? value : this.#refuse(name, "a text");
  }

  yesOrNo(name: string): boolean {
    const value = this.#value(name);
    return typeof value === "boolean" ? value : this.#refuse(name, "true or false");
  }

  hex(name: string, sizes: readonly number[]): string {
    const value = this.#value(name);
    const isOne = typeof value === "string" && /^[0-9a-f]*$/.test(value) && sizes.includes(value.length / 2);
    return isOne ? value : this.#refuse(name, "hexadecimal digits of the right length");
  }

  each<One>(name: string, of: (value: Json) => One): readonly One[] {
    const value = this.#value(name);
    return Array.isArray(value) ? (value as readonly Json[]).map(of) : this.#refuse(name, "a list");
  }

  /** `value`, if the object has no other names than those asked for. */
  done<One>(value: One): One {
    const other = Object.keys(this.#noun).find((name) => !this.#asked.has(name));
    if (other === undefined) return value;
    throw new ManifestDamaged(`what stands for ${this.#where} has an unknown "${other.slice(0, 40)}"`);
  }

  #value(name: string): Json {
    this.#asked.add(name);
    const value = Object.hasOwn(this.#noun, name) ? this.#noun[name] : undefined;
    if (value !== undefined) return value;
    throw new ManifestDamaged(`what stands for ${this.#where} lacks "${name}"`);
  }

  #refuse(name: string, wanted: string): never {
    throw new ManifestDamaged(`"${name}" of ${this.#where} is not ${wanted}`);
  }
}
