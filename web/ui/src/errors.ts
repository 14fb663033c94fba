/**
 * What can go wrong with sealed files and keys, told apart by what the caller does next.
 *
 * Each message is one sentence for a person. None ever carries the text of an identity, of a passphrase, or of
 * something that was meant to be one.
 */

/** What an error is called when it crosses from the worker to the page. */
export type Fault =
  | "wrong-identity"
  | "damaged-header"
  | "header-mac"
  | "damaged-armor"
  | "damaged-payload"
  | "truncated"
  | "bad-identity"
  | "bad-recipient"
  | "bad-signature"
  | "wrong-passphrase"
  | "swapped"
  | "locked"
  | "internal";

/** Anything that is refused here. */
export class UnsealError extends Error {
  readonly fault: Fault;

  constructor(message: string, fault: Fault) {
    super(message);
    this.name = new.target.name;
    this.fault = fault;
  }
}

/** The header is sound, but none of the identities at hand opens it: try another one. */
export class WrongIdentity extends UnsealError {
  constructor() {
    super("None of the identities given opens this file: it was sealed to someone else.", "wrong-identity");
  }
}

/** Not an age file, or its header is malformed: nothing of it can be opened. */
export class DamagedHeader extends UnsealError {
  constructor(message: string, fault: Fault = "damaged-header") {
    super(message, fault);
  }
}

/** A stanza opened, but the header is not the one that was sealed: someone or something changed it. */
export class HeaderMac extends DamagedHeader {
  constructor() {
    super("The header of this sealed file was changed after it was sealed.", "header-mac");
  }
}

/** The text is not a strictly encoded age file in ASCII armor. */
export class DamagedArmor extends UnsealError {
  constructor() {
    super("This armored age file is damaged, or not all of it is here.", "damaged-armor");
  }
}

/** A chunk does not open; all before it is genuine. `offset`: where it begins, in bytes of the sealed file. */
export class DamagedPayload extends UnsealError {
  readonly offset: number;

  constructor(message: string, offset: number, fault: Fault = "damaged-payload") {
    super(message, fault);
    this.offset = offset;
  }
}

/** The last chunk is missing or not whole: the file lost its end. What opened before it is genuine. */
export class Truncated extends DamagedPayload {
  constructor(offset: number) {
    super(
      `This sealed file lost its end, or is damaged at or after byte ${offset}; all before it is genuine.`,
      offset,
      "truncated",
    );
  }
}

/** A text is not an identity. The message never repeats the text. */
export class BadIdentity extends UnsealError {
  constructor(message: string) {
    super(message, "bad-identity");
  }
}

/** A text is not a recipient that can be sealed to. */
export class BadRecipient extends UnsealError {
  constructor(message: string) {
    super(message, "bad-recipient");
  }
}

/** A signature does not fit what it stands under, or what should be signed is no signed line. */
export class BadSignature extends UnsealError {
  constructor(message: string) {
    super(message, "bad-signature");
  }
}

/** The key file is sound, and the passphrase is not its own: ask again. */
export class WrongPassphrase extends UnsealError {
  constructor() {
    super("This passphrase does not open the key file; type it again.", "wrong-passphrase");
  }
}

/** A file is genuine, and not the one that its place and name say: somebody exchanged it. Do not show it. */
export class Swapped extends UnsealError {
  constructor(message: string) {
    super(message, "swapped");
  }
}
