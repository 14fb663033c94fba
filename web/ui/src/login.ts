/**
 * Login by key: a signed line over a fresh challenge and the origin of the page. Pure.
 *
 * The origin must be the browser's own word (`location.origin`): what somebody else's page passes on is then
 * signed for that page, and worth nothing to it.
 */

import type { Bytes } from "./bytes.js";
import { type Signer, sign } from "./crypto/signed_line.js";

/** What is signed. `challenge` is the text as it was given, `member` the name in the manifest. */
export interface Login {
  readonly challenge: string;
  readonly member: string;
  readonly origin: string;
}

/** The line to send, with its line feed. */
export async function loginLine({ challenge, member, origin }: Login, signer: Signer): Promise<Bytes> {
  return (await sign("login", { challenge, member, origin }, signer)).toBytes();
}
