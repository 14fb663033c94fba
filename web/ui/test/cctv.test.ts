/** All test vectors of the age format (C2SP/CCTV), each with the exact outcome that it states. */

import * as cctv from "cctv-age";
import { expect, test } from "vitest";
import { inflateSync } from "node:zlib";
import { type Bytes, concat } from "../src/bytes.js";
import { parseIdentities } from "../src/crypto/identity.js";
import { DamagedArmor, DamagedHeader, DamagedPayload, HeaderMac, WrongIdentity } from "../src/errors.js";
import { dearmor } from "../src/keys/key_file.js";
import { chunks, open } from "../src/seal/payload.js";
import { passphraseUnwrapper } from "../src/seal/unwrapper.js";
import { sha256 } from "./fixtures.js";

const VECTORS = Object.entries(cctv as unknown as Record<string, Uint8Array>).map(([name, data]) => parse(name, data));

function parse(name: string, data: Uint8Array) {
  const whole = Buffer.from(data);
  const end = whole.indexOf("\n\n");
  const fields = whole.subarray(0, end).toString().split("\n").map((line) => line.split(": ") as [string, string]);
  const all = (field: string) => fields.filter(([key]) => key === field).map(([, value]) => value);
  const body = whole.subarray(end + 2);
  return { name, all, file: new Uint8Array(all("compressed").length > 0 ? inflateSync(body) : body) };
}

function outcome(fault: unknown): string {
  if (fault instanceof WrongIdentity) return "no match";
  if (fault instanceof HeaderMac) return "HMAC failure";
  if (fault instanceof DamagedHeader) return "header failure";
  if (fault instanceof DamagedArmor) return "armor failure";
  if (fault instanceof DamagedPayload) return "payload failure";
  throw fault;
}

test("all are there", () => {
  expect(VECTORS).toHaveLength(143);
});

test.each(VECTORS)("$name", async ({ all, file }) => {
  const released: Bytes[] = [];
  let found = "success";
  try {
    const data = all("armored").length > 0 ? dearmor(file) : file;
    const identities = all("identity").flatMap(parseIdentities).map((one) => one.unwrapper);
    const opened = await open(data, [...identities, ...all("passphrase").map(passphraseUnwrapper)]);
    for await (const chunk of chunks(data, opened)) released.push(chunk);
  } catch (fault) {
    found = outcome(fault);
  }
  expect(found).toBe(all("expect")[0]);
  expect(sha256(concat(released))).toBe(all("payload")[0] ?? sha256(new Uint8Array()));
});
