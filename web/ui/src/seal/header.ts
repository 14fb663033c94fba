/**
 * The header of an age file: where it ends, whether it is spelt as it must be, and what it opens.
 *
 * Rule: a header that another writer could have spelt differently is refused, also where age-encryption would
 * take it: the chain of what was recorded is made over these bytes.
 */

import { type Bytes, decodeAscii, fromBase64 } from "../bytes.js";
import { DamagedHeader, WrongIdentity } from "../errors.js";
import type { Unwrapper } from "./unwrapper.js";

/** Bytes of the random nonce between header and first chunk. */
export const NONCE_BYTES = 16;
const VERSION_LINE = "age-encryption.org/v1\n";
const MAX_HEADER_BYTES = 1 << 20;
const COLUMNS = 64;
const FILE_KEY_BYTES = 16;

/** What a header gave. `unwrapper` is the one that opened it; `payloadStart` is where the first chunk begins. */
export interface OpenedHeader<U extends Unwrapper> {
  readonly fileKey: Bytes;
  readonly nonce: Bytes;
  readonly payloadStart: number;
  readonly unwrapper: U;
}

/**
 * Opens the header at the beginning of `data` with the first of `unwrappers` that fits.
 * Throws WrongIdentity, DamagedHeader, HeaderMac.
 */
export async function openHeader<U extends Unwrapper>(
  data: Bytes,
  unwrappers: readonly U[],
): Promise<OpenedHeader<U>> {
  const end = checkHeader(data);
  const header = data.slice(0, end);
  for (const unwrapper of unwrappers) {
    const fileKey = await unwrapper.fileKey(header);
    if (fileKey !== null) return opened(data, end, fileKey, unwrapper);
  }
  throw new WrongIdentity();
}

/**
 * The bytes of the header at the beginning of `data`, checked for its one spelling. Needs no identity.
 * Throws DamagedHeader, also when `data` does not hold all of it.
 */
export function checkHeader(data: Bytes): number {
  const text = decodeAscii(data.subarray(0, MAX_HEADER_BYTES));
  if (!text.startsWith(VERSION_LINE)) {
    throw new DamagedHeader("This is not a sealed file (age v1), or its first bytes are damaged.");
  }
  const mark = text.indexOf("\n---");
  const end = mark < 0 ? -1 : text.indexOf("\n", mark + 1);
  if (end < 0) throw malformed("it has no end");
  const lines = text.slice(VERSION_LINE.length, end).split("\n");
  checkLines(lines);
  return end + 1;
}

function opened<U extends Unwrapper>(data: Bytes, end: number, fileKey: Bytes, unwrapper: U): OpenedHeader<U> {
  if (fileKey.length !== FILE_KEY_BYTES) throw malformed("its file key has the wrong length");
  const payloadStart = end + NONCE_BYTES;
  if (data.length < payloadStart) throw new DamagedHeader("This sealed file ends right after its header.");
  return { fileKey, nonce: data.slice(end, payloadStart), payloadStart, unwrapper };
}

function checkLines(lines: readonly string[]): void {
  const last = lines.length - 1;
  if (!/^--- [A-Za-z0-9+/]{43}$/.test(lines[last] ?? "")) throw malformed("its last line is not a MAC");
  checkBase64((lines[last] ?? "").slice(4));
  const kinds: string[] = [];
  for (let at = 0; at < last; ) {
    kinds.push((lines[at] ?? "").split(" ")[1] ?? "");
    at = checkStanza(lines, at, last);
  }
  if (kinds.length === 0) throw malformed("it has no stanza");
  if (kinds.length > 1 && kinds.includes("scrypt")) throw malformed("a passphrase stanza must be the only one");
}

/** Where the next one begins. */
function checkStanza(lines: readonly string[], at: number, last: number): number {
  if (!/^->(?: [!-~]+)+$/.test(lines[at] ?? "")) throw malformed("a stanza does not begin as it should");
  const short = lines.findIndex((line, place) => place > at && line.length < COLUMNS);
  const body = lines.slice(at + 1, short + 1);
  if (short < 0 || short >= last || body.some((line) => line.length > COLUMNS)) {
    throw malformed("a stanza has no end");
  }
  checkBase64(body.join(""));
  return short + 1;
}

function checkBase64(text: string): void {
  if (fromBase64(text + "=".repeat((4 - (text.length % 4)) % 4)) === null) {
    throw malformed("it has base64 that no encoder writes");
  }
}

function malformed(why: string): DamagedHeader {
  return new DamagedHeader(`The header of this sealed file is damaged: ${why}.`);
}
