import { expect, test } from "vitest";
import { UnsealClient } from "../src/worker/client.js";
import type { Reply, Request } from "../src/worker/messages.js";
import { Vault } from "../src/worker/vault.js";
import { facts, file, manifestLines, segmentOf, sha256 } from "./fixtures.js";

/** A client whose worker is a vault, with structured clones between them. */
function client(): UnsealClient {
  const vault = new Vault();
  const listeners: ((event: MessageEvent<Reply>) => void)[] = [];
  return new UnsealClient({
    postMessage: (message) => {
      void vault.reply(structuredClone(message) as Request).then((reply) => {
        const event = new MessageEvent("message", { data: structuredClone(reply) });
        for (const listener of listeners) listener(event);
      });
    },
    addEventListener: (_, listener) => listeners.push(listener),
  });
}

test("from a key file to footage, and locked again", async () => {
  const page = client();
  await expect(page.ask("login", { challenge: "", member: "", origin: "" })).rejects.toMatchObject({ fault: "locked" });
  await page.ask("unlock", { file: file("classic/binary.key"), passphrase: facts.init.passphrase });
  const { member } = await page.ask("household", { lines: manifestLines("classic"), pin: null });
  expect(member).toBe("alice");
  const wrapped = facts.classic.wrapped.map((path) => ({
    group: path.split("/")[1] ?? "",
    generation: Number(path.split("/")[2]),
    data: file(`classic/store/${path}`),
  }));
  expect((await page.ask("generations", { wrapped })).faults).toEqual([]);
  const device = facts.classic.device;
  for (const number of [1, 2, 3]) {
    const { data, path, sha256: expected } = segmentOf("classic", number);
    const found = await page.ask("segment", { path, device, data, beginningOf: null });
    expect(sha256(found.plaintext)).toBe(expected);
  }
  const [one, other] = [segmentOf("classic", 1), segmentOf("classic", 2)];
  const swapped = page.ask("segment", { path: one.path, device, data: other.data, beginningOf: null });
  await expect(swapped).rejects.toMatchObject({ fault: "swapped" });
  const first = { path: one.path, device, data: one.data.slice(0, 70_000), beginningOf: one.data.length };
  expect((await page.ask("segment", first)).plaintext).toHaveLength(65_536);
  await page.ask("lock", null);
  await expect(page.ask("segment", first)).rejects.toMatchObject({ fault: "wrong-identity" });
});
