import { describe, expect, test } from "vitest";
import { encodeText, toHex } from "../src/bytes.js";
import { Identity, parseIdentities } from "../src/crypto/identity.js";
import { type Noun, SignedLine, sign } from "../src/crypto/signed_line.js";
import * as faults from "../src/household/errors.js";
import { fingerprint, readHousehold } from "../src/household/manifest.js";
import { facts, file, flipped, manifestLines, only } from "./fixtures.js";

const alice = only(parseIdentities(facts.classic.identity));
const last = (house: "classic" | "hybrid"): SignedLine => SignedLine.parse(manifestLines(house).at(-1) ?? new Uint8Array());

/** The next version of the classic household, changed, signed by whoever is said. */
async function next(change: (noun: Record<string, unknown>) => void, signer = alice): Promise<Uint8Array<ArrayBuffer>[]> {
  const noun = JSON.parse(JSON.stringify(last("classic").noun)) as Record<string, unknown>;
  noun["version"] = Number(noun["version"]) + 1;
  noun["previous"] = last("classic").digest;
  change(noun);
  return [...manifestLines("classic"), (await sign("manifest", noun as Noun, signer)).toBytes()];
}

describe.each(["classic", "hybrid"] as const)("a %s household", (house) => {
  test("is read and pinned", async () => {
    const household = await readHousehold(manifestLines(house), null);
    expect(household.manifest.members.map((one) => one.name)).toEqual(["alice"]);
    expect(household.manifest.postQuantum).toBe(house === "hybrid");
    expect((await readHousehold(manifestLines(house), household.pin)).pin).toEqual(household.pin);
  });
});

test("the household of nvr init has the fingerprint that it said", async () => {
  const { pin } = await readHousehold([file("init/store/keys/manifest/1.json")], null);
  expect(fingerprint(pin.root)).toBe(facts.init.fingerprint);
});

test.each(facts.histories.map((_, at) => at))("history %i, as Python wrote it, is followed to its end", async (at) => {
  const lines = (facts.histories[at] ?? []).map(encodeText);
  expect((await readHousehold(lines, null)).manifest.version).toBe(lines.length);
});

test("a byte flipped anywhere in a version is refused", async () => {
  const [first] = manifestLines("classic");
  if (first === undefined) throw new Error("none");
  for (let at = 0; at < first.length - 1; at += 1) {
    await expect(readHousehold([flipped(first, at)], null)).rejects.toBeInstanceOf(faults.HouseholdError);
  }
});

test("pins notice what was put in its place", async () => {
  const lines = manifestLines("classic");
  const { pin } = await readHousehold(lines, null);
  await expect(readHousehold(lines.slice(0, 1), pin)).rejects.toBeInstanceOf(faults.Replayed);
  await expect(readHousehold(manifestLines("hybrid"), pin)).rejects.toBeInstanceOf(faults.AnotherHousehold);
  const forked = { ...pin, newest: { ...pin.newest, digest: "00".repeat(32) } };
  await expect(readHousehold(lines, forked)).rejects.toBeInstanceOf(faults.Forked);
  await expect(readHousehold(lines.slice(1), null)).rejects.toBeInstanceOf(faults.ManifestMissing);
  await expect(readHousehold([], null)).rejects.toBeInstanceOf(faults.ManifestMissing);
});

describe("the next version", () => {
  const mallory = new Identity("x25519", new Uint8Array(32).fill(7));
  const member = async (role: string) => ({
    name: "mallory",
    role,
    recipient: await mallory.recipient(),
    member_key: toHex(mallory.memberKey()),
    groups: ["home"],
  });

  test("with a member whom the owner let in is followed", async () => {
    const viewer = await member("viewer");
    const lines = await next((noun) => (noun["members"] as unknown[]).push(viewer));
    expect((await readHousehold(lines, null)).manifest.members).toHaveLength(2);
  });

  test("with a member who let themselves in is refused", async () => {
    const owner = await member("owner");
    const lines = await next((noun) => {
      (noun["members"] as unknown[]).push(owner);
      noun["signed_by"] = "mallory";
    }, mallory);
    await expect(readHousehold(lines, null)).rejects.toBeInstanceOf(faults.NotSignedByOwner);
    const inHerName = await next((noun) => (noun["members"] as unknown[]).push(owner), mallory);
    await expect(readHousehold(inHerName, null)).rejects.toBeInstanceOf(faults.NotSignedByOwner);
  });

  interface Group { name: string; cameras: string[]; generations: { number: number; from_ms: number; recipient: string }[] }
  const home = (noun: Record<string, unknown>): Group => only(noun["groups"] as Group[]);
  const highest = (noun: Record<string, unknown>) => only(home(noun).generations.slice(-1));
  test.each<[string, (noun: Record<string, unknown>) => void, new (why: string) => Error]>([
    ["of another previous", (noun) => (noun["previous"] = "00".repeat(32)), faults.NotAllowed],
    ["without its owner", (noun) => (noun["members"] = []), faults.NotAllowed],
    ["without its group", (noun) => (noun["groups"] = []), faults.NotAllowed],
    ["of a bad camera", (noun) => (home(noun).cameras = ["keys"]), faults.NotAllowed],
    ["of a changed generation", (noun) => (only(home(noun).generations).from_ms = 1), faults.NotAllowed],
    ["of a lost generation", (noun) => home(noun).generations.pop(), faults.NotAllowed],
    ["of a used recipient", (noun) => home(noun).generations.push({ ...only(home(noun).generations), number: 9, from_ms: 5e12 }), faults.NotAllowed],
    ["of a stranger's default group", (noun) => (noun["default_group"] = "away"), faults.NotAllowed],
    ["of no recipient", (noun) => (highest(noun).recipient = "age1"), faults.NotAllowed],
    ["that is post-quantum now", (noun) => (noun["post_quantum"] = true), faults.NotAllowed],
    ["with one name more", (noun) => (noun["more"] = 1), faults.ManifestDamaged],
    ["with one name less", (noun) => delete noun["devices"], faults.ManifestDamaged],
    ["of a text for a number", (noun) => (noun["made_ms"] = "1"), faults.ManifestDamaged],
    ["that leaves one out", (noun) => (noun["version"] = 99), faults.ManifestMissing],
  ])("%s is refused", async (_, change, kind) => {
    await expect(readHousehold(await next(change), null)).rejects.toBeInstanceOf(kind);
  });
});
