/**
 * The mark of a segment: says inside the seal where it belongs. Pure.
 *
 * Rule: what does not belong where it lay is refused, and so is what is sealed to another generation than it says.
 */

import { type Bytes, decodeAscii, decodeText, startsWith, toHex } from "../bytes.js";
import { Swapped } from "../errors.js";
import type { StoredName } from "./names.js";

const MARK_UUID = Uint8Array.of(
  0x19, 0xcc, 0x2d, 0x48, 0x03, 0xf1, 0x41, 0x32, 0xae, 0x5c, 0xc7, 0xb9, 0x24, 0x8e, 0x2d, 0x5d,
);
const BOX_HEAD = 8;
const FIXED_BYTES = 38;
const VERSION = 1;

/** Where a segment belongs. `device` is 32 hexadecimal digits. */
export interface Mark {
  readonly device: string;
  readonly camera: string;
  readonly stream: string;
  readonly sequence: number;
  /** UTC nanoseconds of the first frame shown. */
  readonly startNs: bigint;
  readonly generation: number;
  readonly clockUnsure: boolean;
}

/** The mark in an init segment, or in a longer part of a segment. Throws Swapped when it has none. */
export function readMark(plaintext: Bytes): Mark {
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  for (let at = 0; at + BOX_HEAD <= plaintext.length; ) {
    const size = view.getUint32(at);
    const kind = decodeAscii(plaintext.subarray(at + 4, at + BOX_HEAD));
    if (size < BOX_HEAD || at + size > plaintext.length || ["moov", "moof", "mdat"].includes(kind)) break;
    const body = plaintext.subarray(at + BOX_HEAD, at + size);
    if (kind === "uuid" && startsWith(body, MARK_UUID)) return parseMark(body.subarray(MARK_UUID.length));
    at += size;
  }
  throw new Swapped("This file does not begin with the mark of a segment.");
}

/**
 * Returns if the mark belongs to the file of that name in the store of `device` (32 hexadecimal digits), which
 * `generation`'s identity opened. Throws Swapped.
 */
export function checkMark(mark: Mark, name: StoredName, device: string, generation: number): void {
  const startMs = BigInt.asIntN(64, mark.startNs - mod(mark.startNs, 1_000_000n)) / 1_000_000n;
  const isHere =
    mark.device === device &&
    mark.camera === name.camera &&
    mark.stream === name.stream &&
    mark.sequence === name.sequence &&
    startMs === BigInt(name.startMs) &&
    mark.clockUnsure === name.clockUnsure;
  if (!isHere) throw new Swapped(`This file was swapped: inside is ${told(mark, device)}.`);
  if (mark.generation !== generation) {
    throw new Swapped(
      `This file was exchanged: inside it says generation ${mark.generation}, and it was sealed to another.`,
    );
  }
}

function parseMark(body: Bytes): Mark {
  if (body.length < FIXED_BYTES + 1) throw damagedMark();
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  if (view.getUint8(0) !== VERSION) throw new Swapped("The mark of this segment is of a version we cannot read.");
  const camera = nameAt(body, FIXED_BYTES);
  const stream = nameAt(body, FIXED_BYTES + 1 + camera.length);
  if (FIXED_BYTES + 2 + camera.length + stream.length !== body.length) throw damagedMark();
  return {
    device: toHex(body.slice(22, FIXED_BYTES)),
    camera: text(camera),
    stream: text(stream),
    sequence: Number(view.getBigUint64(6)),
    startNs: view.getBigInt64(14),
    generation: view.getUint32(2),
    clockUnsure: (view.getUint8(1) & 1) === 1,
  };
}

function nameAt(body: Bytes, at: number): Bytes {
  const length = body[at] ?? 0;
  if (at + 1 + length > body.length) throw damagedMark();
  return body.subarray(at + 1, at + 1 + length);
}

function text(name: Bytes): string {
  try {
    return decodeText(name);
  } catch {
    throw damagedMark();
  }
}

function mod(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}

function told(mark: Mark, device: string): string {
  const where = mark.device === device ? "" : " of another recorder";
  const what = `segment ${mark.sequence} of ${mark.camera}/${mark.stream}${where}`;
  return `${what}, from another place or time than its name says`;
}

function damagedMark(): Swapped {
  return new Swapped("The mark of this segment is damaged.");
}
