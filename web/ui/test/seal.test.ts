import { afterEach, describe, expect, test } from "vitest";
import { parseIdentities } from "../src/crypto/identity.js";
import { DamagedHeader, DamagedPayload, HeaderMac, Swapped, Truncated, WrongIdentity } from "../src/errors.js";
import { forceNative, isNative } from "../src/seal/cipher.js";
import { checkMark, readMark } from "../src/seal/mark.js";
import { parseStoredPath } from "../src/seal/names.js";
import { unseal, unsealFirstChunk } from "../src/seal/payload.js";
import { salvage } from "../src/seal/salvage.js";
import type { Unwrapper } from "../src/seal/unwrapper.js";
import { facts, file, flipped, only, segmentOf, sha256 } from "./fixtures.js";

const group = (house: "classic" | "hybrid"): Unwrapper[] => [only(parseIdentities(facts[house].group)).unwrapper];

afterEach(() => {
  forceNative(undefined);
});

describe.each(["classic", "hybrid"] as const)("a %s household", (house) => {
  test.each([0, 1, 2])("segment %i opens, natively or not", async (number) => {
    const { data, sha256: expected } = segmentOf(house, number);
    for (const native of [undefined, false]) {
      forceNative(native);
      expect(sha256((await unseal(data, group(house))).plaintext)).toBe(expected);
    }
  });

  test.each([0, 1, 2])("the first chunk of segment %i alone", async (number) => {
    const { data } = segmentOf(house, number);
    const whole = (await unseal(data, group(house))).plaintext;
    const beginning = data.slice(0, 70_000);
    const { plaintext } = await unsealFirstChunk(beginning, data.length, group(house));
    expect(plaintext).toEqual(whole.slice(0, 65_536));
  });

  test("an unfinished segment gives all that was recorded", async () => {
    const { data, sha256: expected, path } = segmentOf(house, 3);
    expect(parseStoredPath(path)?.unfinished).toBe(true);
    const found = await salvage(data, group(house));
    expect(found.problem).toBeNull();
    expect(sha256(found.plaintext)).toBe(expected);
    await expect(unseal(data, group(house))).rejects.toBeInstanceOf(DamagedPayload);
  });

  test("the member does not open what is sealed to the group", async () => {
    const member = [only(parseIdentities(facts[house].identity)).unwrapper];
    await expect(unseal(segmentOf(house, 0).data, member)).rejects.toBeInstanceOf(WrongIdentity);
  });
});

test("a segment being written opens from its two files", async () => {
  const found = await salvage(file("growing.part"), group("hybrid"), file("growing.tail"));
  expect(sha256(found.plaintext)).toBe(segmentOf("hybrid", 3).sha256);
});

test("node's WebCrypto is what the native tests tested", async () => {
  expect(await isNative()).toBe(true);
});

describe("a flipped byte", () => {
  const { data } = segmentOf("classic", 2);
  const chunk = 65_552;
  test.each([
    ["version line", 3, DamagedHeader],
    ["nonce", 170, DamagedPayload],
    ["first chunk", 184 + 5, DamagedPayload],
    ["second chunk's tag", 184 + 2 * chunk - 1, DamagedPayload],
    ["last chunk", data.length - 20, Truncated],
  ] as const)("in the %s", async (_, at, kind) => {
    await expect(unseal(flipped(data, at), group("classic"))).rejects.toBeInstanceOf(kind);
  });

  test.each([
    ["stanza's share", 40, WrongIdentity],
    ["wrapped file key", 90, WrongIdentity],
    ["MAC", 130, HeaderMac],
  ] as const)("as another letter in the %s", async (_, at, kind) => {
    const changed = data.slice();
    changed[at] = data[at] === 65 ? 66 : 65;
    await expect(unseal(changed, group("classic"))).rejects.toBeInstanceOf(kind);
  });

  test("in a chunk says where", async () => {
    const fault = await unseal(flipped(data, 184 + chunk + 9), group("classic")).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(DamagedPayload);
    expect(fault).not.toBeInstanceOf(Truncated);
    expect((fault as DamagedPayload).offset).toBe(184 + chunk);
  });

  test.each([1, 16, 5000, chunk, chunk + 5])("a file cut by %i bytes lost its end", async (bytes) => {
    await expect(unseal(data.slice(0, -bytes), group("classic"))).rejects.toBeInstanceOf(Truncated);
  });

  test("in an unfinished file is told after what came before", async () => {
    const segment = segmentOf("classic", 3).data;
    const found = await salvage(flipped(segment, 184 + chunk + 9), group("classic"));
    expect(found.problem?.offset).toBe(184 + chunk);
    expect(found.plaintext.length).toBe(65_536);
  });

  test("in a tail record ends the log", async () => {
    const segment = segmentOf("classic", 3).data;
    const found = await salvage(flipped(segment, segment.length - 1), group("classic"));
    expect(found.plaintext.length).toBeLessThan(segmentOf("classic", 3).bytes);
  });
});

describe("the mark", () => {
  test("belongs to its file and no other", async () => {
    const { data, path } = segmentOf("classic", 2);
    const mark = readMark((await unseal(data, group("classic"))).plaintext);
    const name = parseStoredPath(path);
    if (name === null) throw new Error(path);
    const device = facts.classic.device;
    expect(() => {
      checkMark(mark, name, device, 1);
    }).not.toThrow();
    const others = [
      { ...name, camera: "garden" },
      { ...name, stream: "sub" },
      { ...name, sequence: 7 },
      { ...name, startMs: name.startMs + 1 },
      { ...name, clockUnsure: true },
    ];
    for (const other of others) expect(() => { checkMark(mark, other, device, 1); }).toThrow(Swapped);
    expect(() => { checkMark(mark, name, "00".repeat(16), 1); }).toThrow(Swapped);
    expect(() => { checkMark(mark, name, device, 2); }).toThrow(Swapped);
  });

  test("that is missing or damaged is refused", async () => {
    const { plaintext } = await unseal(segmentOf("classic", 0).data, group("classic"));
    expect(() => readMark(plaintext.slice(20 + 24))).toThrow(Swapped);
    for (let at = 20; at < 20 + 25; at += 1) expect(() => readMark(flipped(plaintext, at))).toThrow(Swapped);
    for (let end = 0; end < plaintext.length; end += 1) {
      expect(() => readMark(plaintext.slice(0, end))).toThrow(Swapped);
    }
  });

  test("names have one spelling", () => {
    const { path } = segmentOf("classic", 0);
    expect(parseStoredPath(path)).toMatchObject({ camera: "front", stream: "main", kind: "mp4" });
    for (const other of [path.replace("/12/", "/13/"), `/${path}`, path.replace(".mp4", ".mov"), `${path}.`]) {
      expect(parseStoredPath(other)).toBeNull();
    }
  });
});
