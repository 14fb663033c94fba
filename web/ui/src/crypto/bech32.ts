/**
 * Bech32 as BIP 173 has it, without its limit on length, as age uses it for recipients and identities. Pure.
 *
 * Strict: one case throughout, a right checksum, no padding bits set. Errors never carry the text: it may be
 * secret.
 */

import type { Bytes } from "../bytes.js";

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_LENGTH = 6;

/** A text taken apart: the lower-case prefix and the data. */
export interface Decoded {
  readonly prefix: string;
  readonly data: Bytes;
}

/** The lower-case text of `data` under the lower-case `prefix`. */
export function encode(prefix: string, data: Bytes): string {
  const { whole, left, bits } = regroup(data, 8, 5);
  const values = bits > 0 ? [...whole, (left << (5 - bits)) & 31] : whole;
  const checked = polymod([...expand(prefix), ...values, 0, 0, 0, 0, 0, 0]) ^ 1;
  const checksum = Array.from({ length: CHECKSUM_LENGTH }, (_, place) => (checked >>> (5 * (5 - place))) & 31);
  return `${prefix}1${[...values, ...checksum].map((value) => ALPHABET.charAt(value)).join("")}`;
}

/** Prefix and data of a text in one case. Throws RangeError, whose message is a clause without the text. */
export function decode(text: string): Decoded {
  const lower = text.toLowerCase();
  if (lower !== text && text.toUpperCase() !== text) throw new RangeError("mixed upper and lower case");
  const separator = lower.lastIndexOf("1");
  const prefix = lower.slice(0, Math.max(separator, 0));
  const body = lower.slice(separator + 1);
  if (prefix === "" || body.length < CHECKSUM_LENGTH) throw new RangeError("too short, or no separator");
  const values = Array.from(body, (letter) => ALPHABET.indexOf(letter));
  if (!/^[!-~]+$/.test(prefix) || values.includes(-1)) {
    throw new RangeError("a letter that does not occur in Bech32");
  }
  if (polymod([...expand(prefix), ...values]) !== 1) {
    throw new RangeError("wrong checksum: a letter is mistyped or missing");
  }
  return { prefix, data: pack(values.slice(0, -CHECKSUM_LENGTH)) };
}

function pack(values: readonly number[]): Bytes {
  const { whole, left, bits } = regroup(values, 5, 8);
  if (bits >= 5 || left !== 0) throw new RangeError("wrong padding");
  return Uint8Array.from(whole);
}

/** Whole groups, and the `bits` left over in `left`. */
function regroup(values: Iterable<number>, from: number, to: number) {
  const whole: number[] = [];
  let left = 0;
  let bits = 0;
  for (const value of values) {
    left = (left << from) | value;
    bits += from;
    while (bits >= to) {
      bits -= to;
      whole.push(left >>> bits);
      left &= (1 << bits) - 1;
    }
  }
  return { whole, left, bits };
}

function expand(prefix: string): number[] {
  const letters = Array.from(prefix, (letter) => letter.charCodeAt(0));
  return [...letters.map((letter) => letter >> 5), 0, ...letters.map((letter) => letter & 31)];
}

function polymod(values: readonly number[]): number {
  let checksum = 1;
  for (const value of values) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    GENERATOR.forEach((term, bit) => {
      if ((top >> bit) & 1) checksum ^= term;
    });
  }
  return checksum >>> 0;
}
