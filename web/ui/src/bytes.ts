/** Bytes and their texts. Pure. Nothing here is told apart by time except where it says so. */

/** Bytes that WebCrypto and workers take: never over shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

const latin = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The UTF-8 of a text. */
export function encodeText(text: string): Bytes {
  return encoder.encode(text);
}

/** The text that these bytes are the UTF-8 of, with any byte order mark. Throws TypeError for other bytes. */
export function decodeText(data: Bytes): string {
  return utf8.decode(data);
}

/** One letter a byte, for looking into headers; never throws. */
export function decodeAscii(data: Bytes): string {
  return latin.decode(data);
}

/** All pieces, one behind the other. */
export function concat(pieces: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Whether both hold the same; takes the same time wherever they differ. */
export function equal(one: Bytes, other: Bytes): boolean {
  if (one.length !== other.length) return false;
  return one.reduce((found, byte, at) => found | (byte ^ (other[at] ?? 0)), 0) === 0;
}

/** Whether `data` begins with `start`. */
export function startsWith(data: Bytes, start: Bytes): boolean {
  return data.length >= start.length && equal(data.subarray(0, start.length), start);
}

/** Lower-case hexadecimal digits. */
export function toHex(data: Bytes): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of lower-case hexadecimal digits; null when it is none. */
export function fromHex(text: string): Bytes | null {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** Base64 with padding. */
export function toBase64(data: Bytes): string {
  return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
}

/** The bytes of canonical base64 with padding; null for whatever no encoder writes. */
export function fromBase64(text: string): Bytes | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return toBase64(data) === text ? data : null;
}
