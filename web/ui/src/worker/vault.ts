/** What the worker keeps and does: the only place where identities live. One request after the other. */

import type { Identity } from "../crypto/identity.js";
import { Swapped, UnsealError } from "../errors.js";
import { readHousehold } from "../household/manifest.js";
import { HouseholdError } from "../household/errors.js";
import type { Manifest } from "../household/model.js";
import { GroupIdentities, type GroupIdentity, memberOf, openGenerations } from "../keys/group_identities.js";
import { openKeyFile } from "../keys/key_file.js";
import { loginLine } from "../login.js";
import { checkMark, readMark } from "../seal/mark.js";
import { parseStoredPath } from "../seal/names.js";
import { type Unsealed, unseal, unsealFirstChunk } from "../seal/payload.js";
import { type Salvaged, salvage } from "../seal/salvage.js";
import type { Calls, Name, Reply, Request } from "./messages.js";

/** Answers requests. Never throws: what goes wrong is an answer, too. */
export class Vault {
  #identity: Identity | null = null;
  #manifest: Manifest | null = null;
  #groups = new GroupIdentities([]);

  /** The reply to a request. */
  async reply(request: Request): Promise<Reply> {
    try {
      return { id: request.id, ok: true, answer: await this.#answer(request) };
    } catch (fault) {
      if (fault instanceof UnsealError || fault instanceof HouseholdError) {
        return { id: request.id, ok: false, fault: fault.fault, message: fault.message };
      }
      return { id: request.id, ok: false, fault: "internal", message: "Something went wrong while unsealing." };
    }
  }

  async #answer(request: Request): Promise<Calls[Name]["answer"]> {
    switch (request.name) {
      case "unlock":
        return this.#unlock(request.ask);
      case "household":
        return this.#household(request.ask);
      case "generations":
        return this.#generations(request.ask);
      case "login":
        return { line: await loginLine(request.ask, this.#unlocked()) };
      case "segment":
        return this.#segment(request.ask);
      case "lock":
        [this.#identity, this.#manifest, this.#groups] = [null, null, new GroupIdentities([])];
        return null;
    }
  }

  async #unlock({ file, passphrase }: Calls["unlock"]["ask"]): Promise<Calls["unlock"]["answer"]> {
    const { identity, root } = await openKeyFile(file, passphrase);
    this.#identity = identity;
    this.#groups = new GroupIdentities([]);
    return { root };
  }

  async #household({ lines, pin }: Calls["household"]["ask"]): Promise<Calls["household"]["answer"]> {
    const household = await readHousehold(lines, pin);
    this.#manifest = household.manifest;
    const member = this.#identity && (await memberOf(household.manifest, this.#identity));
    return { manifest: household.manifest, pin: household.pin, member: member?.name ?? null };
  }

  async #generations({ wrapped }: Calls["generations"]["ask"]): Promise<Calls["generations"]["answer"]> {
    if (this.#manifest === null) throw new UnsealError("The household was not verified yet.", "locked");
    const { identities, faults } = await openGenerations(this.#manifest, this.#unlocked(), wrapped);
    this.#groups = new GroupIdentities(identities);
    return { opened: identities.length, faults };
  }

  async #segment(ask: Calls["segment"]["ask"]): Promise<Calls["segment"]["answer"]> {
    const name = parseStoredPath(ask.path);
    if (name?.kind !== "mp4") throw new Swapped("This is not the path of a segment.");
    const { data, beginningOf } = ask;
    const keys = this.#groups.inOrder;
    const opened: Partial<Salvaged<GroupIdentity>> & Unsealed<GroupIdentity> = name.unfinished
      ? await salvage(data, keys)
      : beginningOf === null
        ? await unseal(data, keys)
        : await unsealFirstChunk(data, beginningOf, keys);
    this.#groups.used(opened.unwrapper);
    checkMark(readMark(opened.plaintext), name, ask.device, opened.unwrapper.generation);
    return { plaintext: opened.plaintext, problem: opened.problem?.message ?? null };
  }

  #unlocked(): Identity {
    if (this.#identity === null) throw new UnsealError("Open your key file first.", "locked");
    return this.#identity;
  }
}
