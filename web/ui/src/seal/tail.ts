/**
 * The tail log of a segment that was never finished: records that carry what does not fill a chunk. Pure.
 *
 * Rule: a record that is torn or damaged ends the log; what comes after it is ignored.
 */

import { type Bytes, encodeText, startsWith } from "../bytes.js";

/** How each record begins. */
export const MAGIC = encodeText("TAIL");
const HEAD_BYTES = 32;
const CHECKED_BYTES = 28;
const LONGEST_SEALED_BYTES = 64 * 1024 * 1024;

/** Plaintext bytes from `plainOffset` to `plainEnd` of the segment, in an age file of its own. */
export interface TailRecord {
  readonly plainOffset: number;
  readonly plainEnd: number;
  /** Media in the segment, this record included. */
  readonly durationNs: bigint;
  readonly sealed: Bytes;
}

/** The records in `log` from byte `at` on, up to the first that is not whole. */
export function* readRecords(log: Bytes, at = 0): Generator<TailRecord, void> {
  for (let begin = at; ; ) {
    const record = readRecord(log.subarray(begin));
    if (record === null) return;
    yield record;
    begin += HEAD_BYTES + record.sealed.length;
  }
}

function readRecord(data: Bytes): TailRecord | null {
  if (data.length < HEAD_BYTES || !startsWith(data, MAGIC)) return null;
  const head = new DataView(data.buffer, data.byteOffset, HEAD_BYTES);
  const sealedBytes = head.getUint32(4);
  const end = HEAD_BYTES + sealedBytes;
  if (sealedBytes > LONGEST_SEALED_BYTES || data.length < end) return null;
  const sealed = data.subarray(HEAD_BYTES, end);
  if (crc32(sealed, crc32(data.subarray(0, CHECKED_BYTES))) !== head.getUint32(28)) return null;
  const plainOffset = Number(head.getBigUint64(8));
  return { plainOffset, plainEnd: plainOffset + head.getUint32(24), durationNs: head.getBigUint64(16), sealed };
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in zlib, going on from `before`. */
export function crc32(data: Bytes, before = 0): number {
  let crc = ~before;
  for (const byte of data) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 255] ?? 0);
  return ~crc >>> 0;
}
