/** What make_fixtures.py wrote. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import type { Bytes } from "../src/bytes.js";

export interface House {
  identity: string;
  recipient: string;
  memberKey: string;
  group: string;
  device: string;
  segments: { path: string; sha256: string; bytes: number }[];
  versions: number[];
  wrapped: string[];
}
export interface Facts {
  classic: House;
  hybrid: House;
  init: { fingerprint: string; passphrase: string };
  histories: string[][];
}
export type HouseName = "classic" | "hybrid";

export function file(path: string): Bytes {
  return new Uint8Array(readFileSync(join(inject("fixtures"), path)));
}

export const facts = JSON.parse(readFileSync(join(inject("fixtures"), "facts.json"), "utf8")) as Facts;

export function segmentOf(house: HouseName, number: number): House["segments"][number] & { data: Bytes } {
  const found = facts[house].segments[number];
  if (found === undefined) throw new Error("no such segment");
  return { ...found, data: file(`${house}/store/${found.path}`) };
}

export function sha256(data: Bytes): string {
  return createHash("sha256").update(data).digest("hex");
}

export function flipped(data: Bytes, at: number): Bytes {
  const copy = data.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

export function manifestLines(house: HouseName): Bytes[] {
  return facts[house].versions.map((version) => file(`${house}/store/keys/manifest/${version}.json`));
}

export function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error("empty");
  return first;
}
