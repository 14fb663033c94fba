"""What can go wrong, told apart by what the caller does next.

Every message is one sentence for a person: what is wrong, and where it helps, what to do. No message ever
carries the text of an identity, of a passphrase, or of something that was meant to be one.
"""

from __future__ import annotations


class CryptoError(Exception):
    """Anything that this package refuses."""


class WrongIdentity(CryptoError):
    """The header is sound, but none of the identities at hand opens a stanza of it: try another one."""


class DamagedHeader(CryptoError):
    """Not an age file, or its header is malformed: nothing of it can be opened."""


class HeaderMac(DamagedHeader):
    """A stanza opened, but the header is not the one that was sealed: someone or something changed it."""


class DamagedArmor(CryptoError):
    """The text is not a strictly encoded age file in ASCII armor."""


class DamagedPayload(CryptoError):
    """A chunk does not open. All chunks before it are genuine and may already have been handed out.

    `offset` is where the chunk begins, in bytes of the sealed file.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Truncated(DamagedPayload):
    """The final chunk is missing or not whole: the file lost its end. What opened before it is genuine."""


class BadRecipient(CryptoError):
    """A text is not a recipient, or recipients that must not be combined were."""


class BadIdentity(CryptoError):
    """A text is not an identity. The message never repeats the text."""


class BadSignature(CryptoError):
    """A signature does not fit what it stands under, or what should be signed is no signed line."""
