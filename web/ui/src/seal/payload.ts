/**
 * The payload of a sealed file: chunks of 64 KiB, each with a tag, the last one marked as the last.
 *
 * Rules:
 * - What is handed out was verified. A file counts as whole only when its last chunk opened as the last.
 * - Truncated and damaged are told apart where the bytes tell it; a torn last chunk counts as truncated.
 */

import { type Bytes, concat } from "../bytes.js";
import { derive } from "../crypto/derive.js";
import { DamagedPayload, Truncated } from "../errors.js";
import { type Cipher, cipher } from "./cipher.js";
import { type OpenedHeader, openHeader } from "./header.js";
import type { Unwrapper } from "./unwrapper.js";

/** Bytes of plaintext in each chunk but the last. */
export const CHUNK_BYTES = 65_536;
/** Bytes of the tag of a chunk. */
export const TAG_BYTES = 16;
/** Bytes of such a chunk in the file. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;

/** A file whose header opened, by `unwrapper`. */
export class Opened<U extends Unwrapper = Unwrapper> {
  readonly payloadStart: number;
  readonly unwrapper: U;
  readonly #cipher: Cipher;

  constructor(header: OpenedHeader<U>, payloadCipher: Cipher) {
    this.payloadStart = header.payloadStart;
    this.unwrapper = header.unwrapper;
    this.#cipher = payloadCipher;
  }

  /** Where chunk `number` begins in the sealed file. */
  offset(number: number): number {
    return this.payloadStart + number * SEALED_CHUNK_BYTES;
  }

  /** The plaintext of a sealed chunk; null when it is not chunk `number` of this file, unaltered. */
  async chunk(number: number, piece: Bytes, last: boolean): Promise<Bytes | null> {
    return piece.length < TAG_BYTES ? null : this.#cipher.open(chunkNonce(number, last), piece);
  }
}

/** What came out of a file, and which of the unwrappers opened it. */
export interface Unsealed<U extends Unwrapper> {
  readonly plaintext: Bytes;
  readonly unwrapper: U;
}

/** Reads header and nonce at the beginning of `data`. Throws WrongIdentity, DamagedHeader, HeaderMac. */
export async function open<U extends Unwrapper>(data: Bytes, unwrappers: readonly U[]): Promise<Opened<U>> {
  const header = await openHeader(data, unwrappers);
  return new Opened(header, await cipher(derive(header.fileKey, header.nonce, "payload")));
}

/** All of a finished file, or nothing. Throws as `open`, and Truncated or DamagedPayload. */
export async function unseal<U extends Unwrapper>(data: Bytes, unwrappers: readonly U[]): Promise<Unsealed<U>> {
  const opened = await open(data, unwrappers);
  const pieces: Bytes[] = [];
  for await (const piece of chunks(data, opened)) pieces.push(piece);
  return { plaintext: concat(pieces), unwrapper: opened.unwrapper };
}

/** Each chunk of a finished file in order; throws Truncated or DamagedPayload after all before the fault. */
export async function* chunks(data: Bytes, opened: Opened): AsyncGenerator<Bytes, void> {
  for (let number = 0; ; number += 1) {
    const piece = data.subarray(opened.offset(number), opened.offset(number + 1));
    const chunk = piece.length === SEALED_CHUNK_BYTES ? await opened.chunk(number, piece, false) : null;
    if (chunk === null) {
      yield await lastChunk(opened, number, piece);
      if (data.length > opened.offset(number) + piece.length) throw goesOn(opened.offset(number + 1));
      return;
    }
    yield chunk;
  }
}

/**
 * The plaintext of the first chunk (64 KiB at most) of a finished file of `sizeBytes`, of which `beginning` holds
 * header, nonce and first chunk at least. It has the init segment, the mark and the first picture.
 * Throws as `unseal`; Truncated also when `beginning` holds less.
 */
export async function unsealFirstChunk<U extends Unwrapper>(
  beginning: Bytes,
  sizeBytes: number,
  unwrappers: readonly U[],
): Promise<Unsealed<U>> {
  const opened = await open(beginning, unwrappers);
  const end = Math.min(opened.offset(1), sizeBytes);
  if (beginning.length < end) throw new Truncated(opened.payloadStart);
  const piece = beginning.subarray(opened.payloadStart, end);
  const plaintext =
    sizeBytes > opened.offset(1) ? await opened.chunk(0, piece, false) : await lastChunk(opened, 0, piece);
  if (plaintext === null) throw damaged(opened.payloadStart);
  return { plaintext, unwrapper: opened.unwrapper };
}

/** The fault of a chunk that is there and does not open. */
export function damaged(offset: number): DamagedPayload {
  return new DamagedPayload(
    `This sealed file is damaged at or after byte ${offset}; all before it is genuine.`,
    offset,
  );
}

async function lastChunk(opened: Opened, number: number, piece: Bytes): Promise<Bytes> {
  const offset = opened.offset(number);
  const chunk = await opened.chunk(number, piece, true);
  if (chunk === null) {
    const isWhole = piece.length === SEALED_CHUNK_BYTES;
    if (isWhole && (await opened.chunk(number, piece, false)) === null) throw damaged(offset);
    throw new Truncated(offset);
  }
  if (number > 0 && chunk.length === 0) {
    throw new DamagedPayload("This sealed file ends in an empty chunk, which no sealer writes.", offset);
  }
  return chunk;
}

function goesOn(offset: number): DamagedPayload {
  return new DamagedPayload("This sealed file goes on after its end.", offset);
}

function chunkNonce(number: number, last: boolean): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(number));
  nonce[11] = last ? 1 : 0;
  return nonce;
}
