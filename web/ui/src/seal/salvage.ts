/**
 * Opens segments that were never finished (docs/format.md section 4): whole chunks, then the tail's records.
 *
 * Rules:
 * - Only for what is known to be unfinished: flag u in the name, or a `.part` with its `.tail`. Of a finished
 *   segment that lost its end this would hide the loss.
 * - Everything handed out is verified. Pieces come in order and without a hole.
 */

import { type Bytes, concat, startsWith } from "../bytes.js";
import { DamagedPayload, UnsealError } from "../errors.js";
import { type Opened, SEALED_CHUNK_BYTES, damaged, open, unseal } from "./payload.js";
import { MAGIC, type TailRecord, readRecords } from "./tail.js";
import type { Unwrapper } from "./unwrapper.js";

/** What was there of an unfinished file. `problem` says what ended it too early; null: nothing did. */
export interface Salvaged<U extends Unwrapper> {
  readonly plaintext: Bytes;
  readonly unwrapper: U;
  readonly problem: DamagedPayload | null;
}

/**
 * The plaintext of an unfinished segment. `tail` is null when the records stand behind the chunks (flag u), and
 * the log when the segment is a `.part`; then take the log's bytes before the part's.
 * Throws WrongIdentity, DamagedHeader: without header and nonce there is nothing to salvage.
 */
export async function salvage<U extends Unwrapper>(
  data: Bytes,
  unwrappers: readonly U[],
  tail: Bytes | null = null,
): Promise<Salvaged<U>> {
  const opened = await open(data, unwrappers);
  const pieces: Bytes[] = [];
  let problem: DamagedPayload | null = null;
  try {
    for await (const piece of salvagedPieces(data, opened, tail)) pieces.push(piece);
  } catch (fault) {
    if (!(fault instanceof DamagedPayload)) throw fault;
    problem = fault;
  }
  return { plaintext: concat(pieces), unwrapper: opened.unwrapper, problem };
}

/** Each piece in order; throws DamagedPayload after all before the damage. */
export async function* salvagedPieces(
  data: Bytes,
  opened: Opened,
  tail: Bytes | null,
): AsyncGenerator<Bytes, void> {
  const stop = tail === null ? MAGIC : null;
  let reach = 0;
  for (let number = 0; ; number += 1) {
    const found = await wholeChunk(data, opened, number, stop);
    if (found === null) {
      const records = tail === null ? readRecords(data, opened.offset(number)) : readRecords(tail);
      yield* continued(records, reach, opened, opened.offset(number));
      return;
    }
    reach += found.chunk.length;
    yield found.chunk;
    if (found.isLast) return;
  }
}

/** Null where the chunks end. Throws DamagedPayload at a whole one that does not open. */
async function wholeChunk(data: Bytes, opened: Opened, number: number, stop: Bytes | null) {
  const piece = data.subarray(opened.offset(number), opened.offset(number + 1));
  const isWhole = piece.length === SEALED_CHUNK_BYTES;
  const chunk = isWhole ? await opened.chunk(number, piece, false) : null;
  if (chunk !== null) return { chunk, isLast: false };
  const end = await opened.chunk(number, piece, true);
  if (end !== null) return { chunk: end, isLast: true };
  if (isWhole && !(stop !== null && startsWith(piece, stop))) throw damaged(opened.offset(number));
  return null;
}

async function* continued(
  records: Iterable<TailRecord>,
  begin: number,
  opened: Opened,
  offset: number,
): AsyncGenerator<Bytes, void> {
  let reach = begin;
  for (const record of records) {
    if (record.plainOffset > reach) return;
    if (record.plainEnd > reach) {
      const plaintext = await openRecord(record, opened.unwrapper, offset);
      yield plaintext.subarray(reach - record.plainOffset);
      reach = record.plainEnd;
    }
  }
}

/** By the unwrapper that opened the segment: records are sealed to the same recipient. */
async function openRecord(record: TailRecord, unwrapper: Unwrapper, offset: number): Promise<Bytes> {
  try {
    const { plaintext } = await unseal(record.sealed, [unwrapper]);
    if (plaintext.length === record.plainEnd - record.plainOffset) return plaintext;
  } catch (fault) {
    if (!(fault instanceof UnsealError)) throw fault;
  }
  throw new DamagedPayload("A record of this unfinished segment does not open.", offset);
}
