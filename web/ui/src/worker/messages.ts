/**
 * What the page and the worker say to each other.
 *
 * Rule: no answer ever holds an identity, a file key or a passphrase.
 */

import type { Fault } from "../errors.js";
import type { Bytes } from "../bytes.js";
import type { HouseholdFault } from "../household/errors.js";
import type { Manifest, Pin } from "../household/model.js";
import type { Login } from "../login.js";
import type { Wrapped } from "../keys/group_identities.js";

/** Each request by its name: what is asked, and what is answered. */
export interface Calls {
  /** Opens a key file and keeps its identity. */
  unlock: { ask: { file: Bytes; passphrase: string }; answer: { root: string | null } };
  /** Verifies the household; `member` is who the identity is, null when it is nobody. */
  household: {
    ask: { lines: readonly Bytes[]; pin: Pin | null };
    answer: { manifest: Manifest; pin: Pin; member: string | null };
  };
  /** Opens the generations of the household verified before. */
  generations: { ask: { wrapped: readonly Wrapped[] }; answer: { opened: number; faults: readonly string[] } };
  login: { ask: Login; answer: { line: Bytes } };
  /**
   * Opens a stored file of footage by its path, and compares its mark with that. `beginningOf`: `data` is only
   * the beginning of a file of so many bytes, and the first chunk is wanted.
   */
  segment: {
    ask: { path: string; device: string; data: Bytes; beginningOf: number | null };
    answer: { plaintext: Bytes; problem: string | null };
  };
  /** Forgets everything. */
  lock: { ask: null; answer: null };
}

export type Name = keyof Calls;
export type Request = { [N in Name]: { id: number; name: N; ask: Calls[N]["ask"] } }[Name];
export type Reply =
  | { id: number; ok: true; answer: Calls[Name]["answer"] }
  | { id: number; ok: false; fault: Fault | HouseholdFault; message: string };

/** What came back instead of an answer. */
export class Refused extends Error {
  readonly fault: Fault | HouseholdFault;

  constructor(message: string, fault: Fault | HouseholdFault) {
    super(message);
    this.name = "Refused";
    this.fault = fault;
  }
}
