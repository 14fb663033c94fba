/**
 * ChaCha20-Poly1305 of chunks: the browser's own where `crypto.subtle` has it, which is asked once by opening a
 * known text, and @noble/ciphers elsewhere.
 */

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Bytes } from "../bytes.js";

/** One key's cipher. */
export interface Cipher {
  /** The plaintext; null when it is not what was sealed with this key and nonce (12 bytes). */
  open(nonce: Bytes, sealed: Bytes): Promise<Bytes | null>;
}

const NAME = "ChaCha20-Poly1305";
let native: Promise<boolean> | undefined;

/** The cipher of a key of 32 bytes. */
export async function cipher(key: Bytes): Promise<Cipher> {
  return (await isNative()) ? nativeCipher(key) : nobleCipher(key);
}

/** Whether the browser's own is used. */
export function isNative(): Promise<boolean> {
  native ??= probe();
  return native;
}

/** For tests: which one to use; undefined asks again. */
export function forceNative(choice: boolean | undefined): void {
  native = choice === undefined ? undefined : Promise.resolve(choice);
}

async function nativeCipher(key: Bytes): Promise<Cipher> {
  // The draft's name for bare key bytes of this cipher, which the types do not know yet.
  const imported = await crypto.subtle.importKey("raw-secret" as "raw", key, NAME, false, ["decrypt"]);
  return {
    async open(nonce, sealed) {
      try {
        return new Uint8Array(await crypto.subtle.decrypt({ name: NAME, iv: nonce }, imported, sealed));
      } catch (fault) {
        if (fault instanceof DOMException && fault.name === "OperationError") return null;
        throw fault;
      }
    },
  };
}

function nobleCipher(key: Bytes): Cipher {
  return {
    open(nonce, sealed) {
      try {
        return Promise.resolve(new Uint8Array(chacha20poly1305(key, nonce).decrypt(sealed)));
      } catch {
        return Promise.resolve(null);
      }
    },
  };
}

async function probe(): Promise<boolean> {
  const key = new Uint8Array(32);
  const nonce = new Uint8Array(12);
  const sealed = new Uint8Array(chacha20poly1305(key, nonce).encrypt(Uint8Array.of(1, 2, 3)));
  try {
    const opener = await nativeCipher(key);
    const good = await opener.open(nonce, sealed);
    sealed[0] = (sealed[0] ?? 0) ^ 1;
    return good?.join() === "1,2,3" && (await opener.open(nonce, sealed)) === null;
  } catch {
    return false;
  }
}
