import { afterEach, describe, expect, test } from "vitest";
import { encodeText, toHex } from "../src/bytes.js";
import * as ed25519 from "../src/crypto/ed25519.js";
import { parseIdentities } from "../src/crypto/identity.js";
import { SignedLine, canonical, sign } from "../src/crypto/signed_line.js";
import { BadIdentity, BadSignature, DamagedArmor, DamagedHeader, DamagedPayload, WrongPassphrase } from "../src/errors.js";
import { readHousehold } from "../src/household/manifest.js";
import { memberOf, openGenerations } from "../src/keys/group_identities.js";
import { isWrapped, openKeyFile } from "../src/keys/key_file.js";
import { loginLine } from "../src/login.js";
import { unseal } from "../src/seal/payload.js";
import { facts, file, flipped, manifestLines, only, segmentOf, sha256 } from "./fixtures.js";

const EXAMPLE = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

afterEach(() => {
  ed25519.forceNative(undefined);
});

describe("identities", () => {
  test("the worked example's member key", () => {
    const identity = only(parseIdentities(`# alice\n\n${EXAMPLE}\n`));
    expect(toHex(identity.memberKey())).toBe("4c408b5ea95e087b97c13c055eeb96479a7d147d3bf3c68ce39ea3ce03310a7a");
    expect(JSON.stringify(identity) + String(identity)).not.toContain("GFPYY");
  });

  test.each(["classic", "hybrid"] as const)("of a %s member", async (house) => {
    const identity = only(parseIdentities(facts[house].identity));
    expect(toHex(identity.memberKey())).toBe(facts[house].memberKey);
    expect(await identity.recipient()).toBe(facts[house].recipient);
  });

  test.each([
    EXAMPLE.toLowerCase(),
    EXAMPLE.replace("GFPYYS", "GFPYYQ"),
    EXAMPLE.slice(0, -1),
    facts.classic.recipient,
    "hello",
    "",
    "# nothing",
  ])("what is none is refused and not repeated (%#)", (text) => {
    const fault = (() => {
      try {
        return parseIdentities(`# a comment\n${text}\n`);
      } catch (error) {
        return error;
      }
    })();
    expect(fault).toBeInstanceOf(BadIdentity);
    if (text.length > 9) expect((fault as Error).message).not.toContain(text.slice(0, 20));
  });
});

describe("signed lines", () => {
  const signer = only(parseIdentities(EXAMPLE));
  test.each([true, false])("are signed and checked (native: %s)", async (native) => {
    ed25519.forceNative(native);
    const line = (await sign("test", { ä: "😀\u007f\n", a: [1, -2, true, null], "\uffff": 1, "😀": 2 }, signer)).toBytes();
    const read = SignedLine.parse(line);
    await read.check("test", signer.memberKey());
    await expect(read.check("other", signer.memberKey())).rejects.toBeInstanceOf(BadSignature);
    await expect(read.check("test", new Uint8Array(32))).rejects.toBeInstanceOf(BadSignature);
  });

  test("names stand in the order of code points, and all is ASCII", () => {
    const text = new TextDecoder().decode(canonical({ "😀": 1, "\uffff": 2, é: "\u007f/\b" }));
    expect(text).toBe('{"\\u00e9":"\\u007f/\\b","\\uffff":2,"\\ud83d\\ude00":1}');
  });

  test.each(['{"a": 1}', '{"b":1,"a":1}', '{"a":1,"a":1}', '{"a":1.0}', '{"a":1e3}', '{"a":"é"}', "[1]", '{"a":9007199254740993}', '{"a":-0}', "{"])(
    "another spelling is refused: %s",
    (body) => {
      expect(() => SignedLine.parse(encodeText(`${body} ${"A".repeat(86)}==\n`))).toThrow(BadSignature);
    },
  );

  test("a login is one", async () => {
    const said = { challenge: "00ff", member: "alice", origin: "https://nvr.local" };
    const line = SignedLine.parse(await loginLine(said, signer));
    expect(line.noun).toEqual(said);
    await line.check("login", signer.memberKey());
  });
});

describe("key files", () => {
  const passphrase = facts.init.passphrase;
  test("of nvr init open with their passphrase alone", async () => {
    const wrapped = file("init-keys/owner.key");
    expect(isWrapped(wrapped)).toBe(true);
    const household = await readHousehold([file("init/store/keys/manifest/1.json")], null);
    const { identity, root } = await openKeyFile(wrapped, passphrase);
    expect(root).toBe(household.pin.root);
    expect((await memberOf(household.manifest, identity))?.name).toBe("owner");
    await expect(openKeyFile(wrapped, "wrong")).rejects.toBeInstanceOf(WrongPassphrase);
  });

  test("plain and binary ones open, damaged ones are told apart from a wrong passphrase", async () => {
    const binary = file("hybrid/binary.key");
    expect((await openKeyFile(file("hybrid/plain.key"), "")).root).toBe("ab".repeat(32));
    expect((await openKeyFile(binary, passphrase)).identity.kind).toBe("mlkem768x25519");
    await expect(openKeyFile(binary, "wrong")).rejects.toBeInstanceOf(WrongPassphrase);
    await expect(openKeyFile(flipped(binary, binary.length - 1), passphrase)).rejects.toBeInstanceOf(DamagedPayload);
    await expect(openKeyFile(flipped(binary, 5), passphrase)).rejects.toBeInstanceOf(BadIdentity);
    await expect(openKeyFile(binary.slice(0, 60), passphrase)).rejects.toBeInstanceOf(DamagedHeader);
    const armored = file("init-keys/owner.key");
    await expect(openKeyFile(armored.slice(0, -9), passphrase)).rejects.toBeInstanceOf(DamagedArmor);
    await expect(openKeyFile(segmentOf("classic", 0).data, passphrase)).rejects.toBeInstanceOf(DamagedHeader);
  });
});

describe.each(["classic", "hybrid"] as const)("the generations of a %s household", (house) => {
  const wrapped = facts[house].wrapped.map((path) => ({
    group: path.split("/")[1] ?? "",
    generation: Number(path.split("/")[2]),
    data: file(`${house}/store/${path}`),
  }));
  const member = only(parseIdentities(facts[house].identity));

  test("open with the member's identity, and open the footage", async () => {
    const { manifest } = await readHousehold(manifestLines(house), null);
    const opening = await openGenerations(manifest, member, wrapped);
    expect(opening.faults).toEqual([]);
    const { data, sha256: expected } = segmentOf(house, 2);
    const found = await unseal(data, opening.identities);
    expect([sha256(found.plaintext), found.unwrapper.generation]).toEqual([expected, 1]);
  });

  test("that were exchanged or damaged are told, the others open", async () => {
    const { manifest } = await readHousehold(manifestLines(house), null);
    const spoilt = wrapped.map((one) => (one.generation === 1 ? { ...one, generation: 2 } : one));
    const one = await openGenerations(manifest, member, spoilt);
    expect(one.faults).toHaveLength(1);
    const damaged = wrapped.map((item, at) => (at === 0 ? { ...item, data: flipped(item.data, item.data.length - 1) } : item));
    const other = await openGenerations(manifest, member, damaged);
    expect([other.faults.length, other.identities.length]).toEqual([1, wrapped.length - 1]);
  });
});
