/** Recipients: to whom files can be sealed. Public, and only ever judged here, since the page seals nothing yet. */

import { x25519 } from "@noble/curves/ed25519.js";
import { Encrypter } from "age-encryption";
import { BadRecipient } from "../errors.js";
import type { Bytes } from "../bytes.js";
import { type Decoded, decode, encode } from "./bech32.js";

const HYBRID_BYTES = 1216;
const X25519_BYTES = 32;
const judged = new Map<string, boolean>();

/**
 * Whether a recipient in its one spelling resists quantum computers. Remembers what it found.
 * Throws BadRecipient for what cannot be sealed to, also for the points of low order.
 */
export async function isPostQuantum(text: string): Promise<boolean> {
  const known = judged.get(text);
  if (known !== undefined) return known;
  const found = await judge(text);
  judged.set(text, found);
  return found;
}

async function judge(text: string): Promise<boolean> {
  const { prefix, data } = decoded(text);
  if (encode(prefix, data) !== text) throw new BadRecipient("The recipient is not in its one spelling.");
  if (prefix === "age" && data.length === X25519_BYTES) checkPoint(data);
  else if (prefix === "age1pq" && data.length === HYBRID_BYTES) await checkHybrid(text, data);
  else throw new BadRecipient("This is not a recipient that we can seal to.");
  return prefix === "age1pq";
}

function decoded(text: string): Decoded {
  try {
    return decode(text);
  } catch {
    throw new BadRecipient("This is not a recipient (age1…).");
  }
}

function checkPoint(point: Bytes): void {
  try {
    x25519.getSharedSecret(new Uint8Array(32).fill(8), point);
  } catch {
    throw new BadRecipient("This recipient is damaged: it is not a public key.");
  }
}

/** Sealing to it is the check of its lattice half: age-encryption exports no other. */
async function checkHybrid(text: string, data: Bytes): Promise<void> {
  checkPoint(data.slice(-X25519_BYTES));
  try {
    const sealer = new Encrypter();
    sealer.addRecipient(text);
    await sealer.encrypt(new Uint8Array());
  } catch {
    throw new BadRecipient("This post-quantum recipient is damaged: it is not a public key.");
  }
}
