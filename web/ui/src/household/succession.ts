/**
 * Which manifest is a household's first, and which may follow which: as `pipeline/household/succession.py`.
 * `madeMs` is not looked at: clocks are wrong.
 */

import { fromHex } from "../bytes.js";
import { BadSignature } from "../errors.js";
import type { SignedManifest } from "./document.js";
import { ManifestMissing, NotAllowed, NotSignedByOwner } from "./errors.js";
import type { Device, Generation, Group, Manifest } from "./model.js";
import { checkRules, recipientsOf } from "./rules.js";

const PURPOSE = "manifest";

/**
 * Returns if it can be the first version of a household: signed by an owner in itself.
 * Throws ManifestMissing, NotAllowed, NotSignedByOwner.
 */
export async function checkFirst(first: SignedManifest): Promise<void> {
  const { version } = first.manifest;
  if (version !== 1) throw new ManifestMissing(`it is version ${version}, and version 1 is missing`);
  await checkRules(first.manifest);
  await checkSigned(first, first.manifest);
}

/** Returns if `after` may follow `before`, which has been checked. Throws as `checkFirst`. */
export async function checkNext(before: SignedManifest, after: SignedManifest): Promise<void> {
  const [old, next] = [before.manifest, after.manifest];
  if (next.version !== old.version + 1) {
    throw new ManifestMissing(`version ${old.version + 1} is missing: version ${next.version} stands there`);
  }
  await checkSigned(after, old);
  if (next.previous !== before.line.digest) {
    throw new NotAllowed(`version ${next.version} was not made from the version ${old.version} that is here`);
  }
  await checkRules(next);
  checkKept(old, next);
}

async function checkSigned(signed: SignedManifest, byOwnerIn: Manifest): Promise<void> {
  const { version, signedBy } = signed.manifest;
  const what = `version ${version} of the household`;
  const signer = byOwnerIn.members.find((one) => one.name === signedBy);
  if (signer === undefined) throw new NotSignedByOwner(`${what} is signed by somebody who was no member before it`);
  if (signer.role !== "owner") {
    throw new NotSignedByOwner(`${what} is signed by ${signer.name}, a viewer: only owners may change it`);
  }
  try {
    await signed.line.check(PURPOSE, fromHex(signer.memberKey) ?? new Uint8Array());
  } catch (fault) {
    if (!(fault instanceof BadSignature)) throw fault;
    throw new NotSignedByOwner(`${what} does not bear ${signer.name}'s signature: it was changed without an owner`);
  }
}

function checkKept(old: Manifest, next: Manifest): void {
  if (next.postQuantum !== old.postQuantum) {
    throw new NotAllowed("classic and post-quantum recipients are never mixed: make a new household");
  }
  const gone = old.groups.find((one) => !next.groups.some((other) => other.name === one.name));
  if (gone !== undefined) throw new NotAllowed(`the group ${gone.name} is gone, and groups stay`);
  if (!old.devices.every((one) => next.devices.some((other) => isSameDevice(one, other)))) {
    throw new NotAllowed("a device is gone, and the proof of what it recorded hangs by it");
  }
  for (const group of next.groups) checkGenerations(old, group);
}

function checkGenerations(old: Manifest, after: Group): void {
  const before = old.groups.find((one) => one.name === after.name)?.generations ?? [];
  const highest = before.at(-1)?.number ?? 0;
  if ((after.generations.at(-1)?.number ?? 0) < highest) {
    throw new NotAllowed(`generation ${highest} of ${after.name} is gone, and no later one came`);
  }
  const used = new Set(recipientsOf(old));
  for (const generation of after.generations) {
    const what = `generation ${generation.number} of ${after.name}`;
    if (generation.number <= highest) {
      const kept = before.some((one) => isSameGeneration(one, generation));
      if (!kept) throw new NotAllowed(`${what} is not what it was before`);
    } else if (used.has(generation.recipient)) {
      throw new NotAllowed(`${what} has a recipient used before`);
    }
  }
}

function isSameGeneration(one: Generation, other: Generation): boolean {
  return one.number === other.number && one.recipient === other.recipient && one.fromMs === other.fromMs;
}

function isSameDevice(one: Device, other: Device): boolean {
  return one.device === other.device && one.dayKey === other.dayKey && one.fromMs === other.fromMs;
}
