/**
 * The nouns of a household. Nothing here is secret. Times are UTC milliseconds; digests, public keys and devices
 * are lower-case hexadecimal digits; lists stand in the manifest's order.
 */

/** A person or a device. `memberKey` is empty for one who can only open footage. */
export interface Member {
  readonly name: string;
  readonly role: "owner" | "viewer";
  readonly recipient: string;
  readonly memberKey: string;
  readonly groups: readonly string[];
}

/** One recipient of a group, for footage from `fromMs` until the next generation's. */
export interface Generation {
  readonly number: number;
  readonly recipient: string;
  readonly fromMs: number;
}

/** Cameras that are sealed alike. */
export interface Group {
  readonly name: string;
  readonly cameras: readonly string[];
  readonly generations: readonly Generation[];
}

/** A series of day keys of a store: the public `dayKey` it began with. */
export interface Device {
  readonly device: string;
  readonly dayKey: string;
  readonly fromMs: number;
}

/** One version of a household. `previous` is the digest of the version before, empty for version 1. */
export interface Manifest {
  readonly version: number;
  readonly previous: string;
  readonly madeMs: number;
  readonly signedBy: string;
  readonly postQuantum: boolean;
  readonly defaultGroup: string;
  readonly members: readonly Member[];
  readonly groups: readonly Group[];
  readonly devices: readonly Device[];
}

/** What somebody remembers: the first version's digest, and the newest they saw; `newest` null: the root alone. */
export interface Pin {
  readonly root: string;
  readonly newest: { readonly version: number; readonly digest: string } | null;
}

/** The group that a camera belongs to: the one that names it, else the default group. */
export function groupOf(manifest: Manifest, camera: string): Group | null {
  const named = manifest.groups.find((one) => one.cameras.includes(camera));
  return named ?? manifest.groups.find((one) => one.name === manifest.defaultGroup) ?? null;
}
