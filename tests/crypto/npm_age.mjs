// The npm implementation of age, driven by one JSON request on standard input; answers JSON on standard output.
// argv: the node_modules directory. Bytes travel as base64.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const modules = pathToFileURL(process.argv[2] + "/").href;
const request = JSON.parse(readFileSync(0, "utf8"));
const encode = (bytes) => Buffer.from(bytes).toString("base64");

async function vectors() {
  const found = await import(modules + "cctv-age/index.js");
  return Object.fromEntries(Object.entries(found).map(([name, bytes]) => [name, encode(bytes)]));
}

async function seal(age) {
  const encrypter = new age.Encrypter();
  for (const recipient of request.recipients ?? []) encrypter.addRecipient(recipient);
  if (request.passphrase) {
    encrypter.setScryptWorkFactor(10);
    encrypter.setPassphrase(request.passphrase);
  }
  return encode(await encrypter.encrypt(Buffer.from(request.data, "base64")));
}

async function open(age) {
  const decrypter = new age.Decrypter();
  for (const identity of request.identities ?? []) decrypter.addIdentity(identity);
  if (request.passphrase) decrypter.addPassphrase(request.passphrase);
  return encode(await decrypter.decrypt(Buffer.from(request.data, "base64")));
}

async function generate(age) {
  const identity = await (request.hybrid ? age.generateHybridIdentity() : age.generateX25519Identity());
  return { identity, recipient: await age.identityToRecipient(identity) };
}

const actions = { vectors, seal, open, generate };
const age = request.action === "vectors" ? null : await import(modules + "age-encryption/dist/index.js");
process.stdout.write(JSON.stringify(await actions[request.action](age)));
