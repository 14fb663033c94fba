/** The worker's entry: hands each message to the vault, one after the other, and posts the reply. */

import type { Reply, Request } from "./messages.js";
import { Vault } from "./vault.js";

const vault = new Vault();
let before: Promise<void> = Promise.resolve();

async function serve(request: Request): Promise<void> {
  const reply = await vault.reply(request);
  self.postMessage(reply, { transfer: transferable(reply) });
}

function transferable(reply: Reply): Transferable[] {
  const bytes = reply.ok && reply.answer !== null && "plaintext" in reply.answer ? [reply.answer.plaintext] : [];
  return bytes.map((one) => one.buffer);
}

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  before = before.then(() => serve(data));
});
