/**
 * A member's key file: an age identity file, plain, or wrapped by a passphrase, armored or binary.
 *
 * Rule: no fault repeats what the file or the passphrase holds.
 */

import { armor } from "age-encryption";
import { type Bytes, decodeAscii, decodeText } from "../bytes.js";
import { type Identity, parseIdentities } from "../crypto/identity.js";
import { BadIdentity, DamagedArmor, DamagedHeader, WrongIdentity, WrongPassphrase } from "../errors.js";
import { checkHeader } from "../seal/header.js";
import { unseal } from "../seal/payload.js";
import { passphraseUnwrapper } from "../seal/unwrapper.js";

const ARMOR = /^[ \t\r\n]*-----BEGIN/;
const VERSION = "age-encryption.org/v1";
const HOUSEHOLD = /\bhousehold ([0-9a-f]{64})\b/;

/** What a key file holds. `root` is the household that it names (64 digits); null when it names none. */
export interface KeyFile {
  readonly identity: Identity;
  readonly root: string | null;
}

/** Whether a passphrase must be asked for. */
export function isWrapped(file: Bytes): boolean {
  const text = decodeAscii(file);
  return ARMOR.test(text) || text.startsWith(VERSION);
}

/**
 * Opens a key file; an unwrapped one needs no passphrase. Takes some 0.5 s and 64 MiB for a wrapped one.
 * Throws WrongPassphrase; BadIdentity, DamagedArmor, DamagedHeader or DamagedPayload when the file is the fault.
 */
export async function openKeyFile(file: Bytes, passphrase: string): Promise<KeyFile> {
  const binary = ARMOR.test(decodeAscii(file)) ? dearmor(file) : file;
  const text = textOf(isWrapped(binary) ? await unwrap(binary, passphrase) : binary);
  const identity = parseIdentities(text)[0];
  if (identity === undefined) throw new BadIdentity("There is no identity in this file.");
  return { identity, root: HOUSEHOLD.exec(text)?.[1] ?? null };
}

/** The binary file in an armored one. Throws DamagedArmor, also for what is not armored. */
export function dearmor(file: Bytes): Bytes {
  try {
    // The library trims more than the format has outside of the armor, so that is trimmed here and looked at.
    const trimmed = decodeAscii(file).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
    if (trimmed.trim() === trimmed) return new Uint8Array(armor.decode(trimmed));
  } catch {
    // Told below.
  }
  throw new DamagedArmor();
}

async function unwrap(file: Bytes, passphrase: string): Promise<Bytes> {
  if (!decodeAscii(file.subarray(0, checkHeader(file))).includes("\n-> scrypt ")) {
    throw new DamagedHeader("This file is sealed to a recipient, not by a passphrase: it is no key file.");
  }
  try {
    return (await unseal(file, [passphraseUnwrapper(passphrase)])).plaintext;
  } catch (fault) {
    throw fault instanceof WrongIdentity ? new WrongPassphrase() : fault;
  }
}

function textOf(file: Bytes): string {
  try {
    return decodeText(file);
  } catch {
    throw new BadIdentity("There is no identity in this file: it is not a text.");
  }
}
