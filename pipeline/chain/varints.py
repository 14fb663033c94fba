"""The parts that records are made of: varints and short texts. Pure, and strict: one spelling of each."""

from __future__ import annotations


class DamagedRecord(ValueError):
    """These bytes are no record of a chain; the message is a clause that says why."""


class TornRecord(DamagedRecord):
    """The bytes end within the record: a power cut, or the end of the chain was cut off."""


def varint(number: int) -> bytes:
    """Unsigned LEB128 in its shortest form."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value: str) -> bytes:
    """A name: its length in one byte, then its UTF-8."""
    encoded = value.encode()
    return bytes([len(encoded)]) + encoded


class Reader:
    """Takes what `varint` and `text` made from `data`, from `at` on. Everything raises DamagedRecord or
    TornRecord.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    def take(self, count: int) -> bytes:
        """So many bytes."""
        taken = self._data[self.at : self.at + count]
        if len(taken) < count:
            raise TornRecord("the last record is not whole")
        self.at += count
        return taken

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self.at)

    def varint(self, last: int, first: int = 0) -> int:
        """A number from `first` to `last`."""
        number = shift = 0
        data, at, end = self._data, self.at, len(self._data)  # a chain has millions of these
        while True:
            if at >= end:
                raise TornRecord("the last record is not whole")
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if number > last:
                raise DamagedRecord("a record has a number that is too large")
            if byte < 0x80:
                break
        self.at = at
        if (byte == 0 and shift > 7) or number < first:
            raise DamagedRecord("a record has a number that is not spelt as it should be")
        return number

    def text(self) -> str:
        """A name. Raises UnicodeDecodeError too."""
        return self.take(self.byte()).decode()
