/** The one way in which keys are derived: HKDF-SHA-256 to 32 bytes. Pure. */

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, encodeText } from "../bytes.js";

/** `HKDF(secret, salt, info)` of docs/format.md: 32 bytes. An empty salt is none. */
export function derive(secret: Bytes, salt: Bytes, info: string): Bytes {
  return new Uint8Array(hkdf(sha256, secret, salt, encodeText(info), 32));
}

/** SHA-256: 32 bytes. */
export function digest(data: Bytes): Bytes {
  return new Uint8Array(sha256(data));
}
