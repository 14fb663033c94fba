/**
 * A household as it was served: every version from the first, verified, against what this browser remembers.
 *
 * Rule: nothing is believed for being served. Without a pin any sound household is taken: show its fingerprint.
 */

import type { Bytes } from "../bytes.js";
import { type SignedManifest, parseManifest } from "./document.js";
import { AnotherHousehold, Forked, ManifestMissing, Replayed } from "./errors.js";
import type { Manifest, Pin } from "./model.js";
import { checkFirst, checkNext } from "./succession.js";

/** A household whose every version, from the first, has been verified. */
export interface Household {
  /** As it is now. */
  readonly manifest: Manifest;
  readonly versions: readonly SignedManifest[];
  /** What to remember of it. Its root is how the household is known. */
  readonly pin: Pin & { readonly newest: { readonly version: number; readonly digest: string } };
}

/** The household of these signed lines, in order from version 1. Throws HouseholdError (see its subclasses). */
export async function readHousehold(lines: readonly Bytes[], pin: Pin | null): Promise<Household> {
  const versions = lines.map(parseManifest);
  const [first, last] = [versions[0], versions.at(-1)];
  if (first === undefined || last === undefined) throw new ManifestMissing("there is no household here");
  await checkFirst(first);
  if (pin !== null) checkRoot(first, pin);
  for (const [at, after] of versions.slice(1).entries()) await checkNext(versions[at] ?? first, after);
  if (pin !== null) checkRemembered(versions, pin);
  const newest = { version: last.manifest.version, digest: last.line.digest };
  return { manifest: last.manifest, versions, pin: { root: first.line.digest, newest } };
}

/** What people compare: the first 32 digits of the root, in groups of four. */
export function fingerprint(root: string): string {
  return (root.slice(0, 32).match(/.{4}/g) ?? []).join(" ");
}

function checkRoot(first: SignedManifest, pin: Pin): void {
  if (first.line.digest === pin.root) return;
  throw new AnotherHousehold(
    `the household is another one: its fingerprint is ${fingerprint(first.line.digest)}, ` +
      `and ${fingerprint(pin.root)} is meant`,
  );
}

function checkRemembered(versions: readonly SignedManifest[], { newest }: Pin): void {
  if (newest === null) return;
  const there = versions[newest.version - 1];
  if (there === undefined) {
    throw new Replayed(
      `version ${versions.length} of the household is shown, but version ${newest.version} was seen before: ` +
        "somebody put an older one in its place",
    );
  }
  if (there.line.digest !== newest.digest) {
    throw new Forked(
      `version ${newest.version} of the household is not the one that was seen before: two owners changed it at ` +
        "once, or it was exchanged",
    );
  }
}
