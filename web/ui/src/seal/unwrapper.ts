/**
 * What gets the file key out of a header: age-encryption's Decrypter, asked for one identity or passphrase at a
 * time, so that whoever asks knows which one fitted.
 *
 * Rule: what the library says is told apart by its two messages that are no damage; the tests hold it to them.
 */

import { Decrypter } from "age-encryption";
import type { Bytes } from "../bytes.js";
import { DamagedHeader, HeaderMac } from "../errors.js";

const NOT_FOR_US = "no identity matched any of the file's recipients";
const MAC_FAILED = "invalid header HMAC";

/** Opens headers. */
export interface Unwrapper {
  /**
   * The 16 bytes of file key of a whole header, its MAC verified; null when it is for somebody else.
   * Throws DamagedHeader, HeaderMac.
   */
  fileKey(header: Bytes): Promise<Bytes | null>;
}

/** Of the text of an identity, which must be sound. */
export function identityUnwrapper(text: string): Unwrapper {
  const decrypter = new Decrypter();
  decrypter.addIdentity(text);
  return { fileKey: (header) => fileKey(decrypter, header) };
}

/** Of a passphrase. It takes the time and memory that the header asks for, up to work factor 20 (1 GiB). */
export function passphraseUnwrapper(passphrase: string): Unwrapper {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return { fileKey: (header) => fileKey(decrypter, header) };
}

async function fileKey(decrypter: Decrypter, header: Bytes): Promise<Bytes | null> {
  try {
    return new Uint8Array(await decrypter.decryptHeader(header));
  } catch (fault) {
    const said = fault instanceof Error ? fault.message : "";
    if (said === NOT_FOR_US) return null;
    if (said === MAC_FAILED) throw new HeaderMac();
    throw new DamagedHeader("The header of this sealed file is damaged: a stanza is malformed.");
  }
}
