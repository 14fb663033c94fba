/** Why a household's manifest is refused, by what the caller does next. Each message is one clause. */

/** What a HouseholdError is called when it crosses from the worker to the page. */
export type HouseholdFault =
  | "missing"
  | "damaged"
  | "not-allowed"
  | "not-signed-by-owner"
  | "another-household"
  | "replayed"
  | "forked";

/** The household's manifest cannot be believed or used; the message says why. */
export class HouseholdError extends Error {
  readonly fault: HouseholdFault;

  constructor(message: string, fault: HouseholdFault) {
    super(message);
    this.name = new.target.name;
    this.fault = fault;
  }
}

/** A version is not there: none at all, or one in the middle. */
export class ManifestMissing extends HouseholdError {
  constructor(message: string) {
    super(message, "missing");
  }
}

/** A file is not a manifest in its one spelling. */
export class ManifestDamaged extends HouseholdError {
  constructor(message: string) {
    super(message, "damaged");
  }
}

/** The manifest reads well and breaks a rule: whoever made it may not, or must not, do so. */
export class NotAllowed extends HouseholdError {
  constructor(message: string, fault: HouseholdFault = "not-allowed") {
    super(message, fault);
  }
}

/** Somebody other than an owner of the version before made or changed it: do not follow it. */
export class NotSignedByOwner extends NotAllowed {
  constructor(message: string) {
    super(message, "not-signed-by-owner");
  }
}

/** It is sound, and not the household that was meant: its first version is another. */
export class AnotherHousehold extends HouseholdError {
  constructor(message: string) {
    super(message, "another-household");
  }
}

/** An older version than was seen before: go on with the one that was seen. */
export class Replayed extends HouseholdError {
  constructor(message: string) {
    super(message, "replayed");
  }
}

/** A version is another than the one that was seen: two owners changed it at once, or it was exchanged. */
export class Forked extends HouseholdError {
  constructor(message: string) {
    super(message, "forked");
  }
}
