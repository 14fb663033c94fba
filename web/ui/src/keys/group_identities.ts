/**
 * From a member's identity and the wrapped files of the store to the identities that open footage.
 *
 * Rules:
 * - The manifest says to which recipient each generation belongs. A wrapped identity that is another's, whoever
 *   put it there, is not used.
 * - One generation that cannot be opened keeps nobody from the others; its fault says why.
 * - The one that opened last is tried first: an hour of footage has one generation, maybe two, of many.
 */

import { type Bytes, decodeText } from "../bytes.js";
import { type Identity, parseIdentities } from "../crypto/identity.js";
import { UnsealError, WrongIdentity } from "../errors.js";
import type { Manifest, Member } from "../household/model.js";
import { unseal } from "../seal/payload.js";
import type { Unwrapper } from "../seal/unwrapper.js";

/** A file `keys/<group>/<generation>/<member>.age`. */
export interface Wrapped {
  readonly group: string;
  readonly generation: number;
  readonly data: Bytes;
}

/** One generation that opened; an Unwrapper for files sealed to it. */
export interface GroupIdentity extends Unwrapper {
  readonly group: string;
  readonly generation: number;
}

/** What a member opens. `faults` are sentences about wrapped files that should have opened, and did not. */
export interface Opening {
  readonly identities: readonly GroupIdentity[];
  readonly faults: readonly string[];
}

/** The member whose recipient the identity has; null when it is no member's. */
export async function memberOf(manifest: Manifest, identity: Identity): Promise<Member | null> {
  const recipient = await identity.recipient();
  return manifest.members.find((one) => one.recipient === recipient) ?? null;
}

/** Opens what is among `wrapped` and in the manifest; generations that are not there were destroyed. */
export async function openGenerations(
  manifest: Manifest,
  identity: Identity,
  wrapped: readonly Wrapped[],
): Promise<Opening> {
  const identities: GroupIdentity[] = [];
  const faults: string[] = [];
  for (const one of wrapped) {
    const found = await openOne(manifest, identity, one);
    if (typeof found === "string") faults.push(found);
    else if (found !== null) identities.push(found);
  }
  return { identities, faults };
}

/** All generations of a member for opening many files one after the other; keeps the last that fitted in front. */
export class GroupIdentities {
  #inOrder: readonly GroupIdentity[];

  constructor(identities: readonly GroupIdentity[]) {
    this.#inOrder = identities;
  }

  /** To be given to `unseal` and the like. */
  get inOrder(): readonly GroupIdentity[] {
    return this.#inOrder;
  }

  /** Says which one opened. */
  used(identity: GroupIdentity): void {
    if (this.#inOrder[0] === identity) return;
    this.#inOrder = [identity, ...this.#inOrder.filter((one) => one !== identity)];
  }
}

/** The identity, a sentence about why not, or null for a generation that the manifest has not. */
async function openOne(manifest: Manifest, member: Identity, one: Wrapped): Promise<GroupIdentity | string | null> {
  const group = manifest.groups.find((other) => other.name === one.group);
  const generation = group?.generations.find((other) => other.number === one.generation);
  if (generation === undefined) return null;
  const what = `generation ${one.generation} of ${one.group}`;
  const found = await unwrapped(member, one.data);
  if (typeof found === "string") return `The wrapped identity of ${what} ${found}, so it cannot be opened.`;
  if ((await found.recipient()) !== generation.recipient) {
    return `The wrapped identity of ${what} holds another identity: it was exchanged, so it cannot be opened.`;
  }
  const { group: name, generation: number } = one;
  return { group: name, generation: number, fileKey: (header) => found.unwrapper.fileKey(header) };
}

async function unwrapped(member: Identity, data: Bytes): Promise<Identity | string> {
  try {
    const { plaintext } = await unseal(data, [member.unwrapper]);
    return parseIdentities(decodeText(plaintext))[0] ?? "is empty";
  } catch (fault) {
    if (fault instanceof WrongIdentity) return "is sealed to somebody else";
    if (fault instanceof UnsealError || fault instanceof TypeError) return "is damaged";
    throw fault;
  }
}
