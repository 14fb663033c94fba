/**
 * Ed25519 (RFC 8032): by WebCrypto where it has it, which is asked once, by @noble/curves elsewhere.
 *
 * A seed never leaves this module except into the engine that signs with it.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { type Bytes, concat } from "../bytes.js";

const PKCS8 = new Uint8Array([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]);
const ALGORITHM = { name: "Ed25519" };
let native: Promise<boolean> | undefined;

/** The 32 public bytes of a seed of 32. */
export function publicKey(seed: Bytes): Bytes {
  return new Uint8Array(ed25519.getPublicKey(seed));
}

/** The signature (64 bytes) of the seed's owner over `message`. */
export async function sign(seed: Bytes, message: Bytes): Promise<Bytes> {
  if (!(await isNative())) return new Uint8Array(ed25519.sign(message, seed));
  const key = await crypto.subtle.importKey("pkcs8", concat([PKCS8, seed]), ALGORITHM, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, message));
}

/** Whether `signature` over `message` is of the owner of `publicBytes`. Never throws. */
export async function verify(publicBytes: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  if (publicBytes.length !== 32 || signature.length !== 64) return false;
  try {
    if (!(await isNative())) return ed25519.verify(signature, message, publicBytes, { zip215: false });
    const key = await crypto.subtle.importKey("raw", publicBytes, ALGORITHM, false, ["verify"]);
    return await crypto.subtle.verify(ALGORITHM, key, signature, message);
  } catch {
    return false;
  }
}

/** For tests: whether to do without WebCrypto; undefined asks again. */
export function forceNative(choice: boolean | undefined): void {
  native = choice === undefined ? undefined : Promise.resolve(choice);
}

function isNative(): Promise<boolean> {
  native ??= probe();
  return native;
}

async function probe(): Promise<boolean> {
  try {
    await crypto.subtle.importKey("pkcs8", concat([PKCS8, new Uint8Array(32)]), ALGORITHM, false, ["sign"]);
    return true;
  } catch {
    return false;
  }
}
