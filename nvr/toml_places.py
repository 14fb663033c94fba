"""On which line of a TOML file a setting stands, for messages. Pure.

The standard parser keeps no positions. This reads tables and settings as people write them; text inside
multi-line strings may mislead it, which costs a wrong line number in a message and nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

_TABLE = re.compile(r"\s*(\[+)([^\]\[#]+)\]")
_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_SETTING = re.compile(rf"\s*({_NAME}(?:[ \t]*\.[ \t]*{_NAME})*)[ \t]*=")
_PART = re.compile(r"""\s*("[^"]*"|'[^']*'|[^."']+)""")


def line_of(text: str, path: Sequence[str]) -> int:
    """The line (from 1) on which a setting stands; its table's where it is missing; else 0."""
    best, table_line = 0, 0
    for number, at in _places(text):
        if at == tuple(path):
            best = best or number
        elif at and at == tuple(path[: len(at)]):
            table_line = number
    return best or table_line


def _places(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line numbers with the full path of the table or setting that begins there; a table of several has its
    number behind its name, from 0.
    """
    table: tuple[str, ...] = ()
    counts: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = _parts(header[2])
            if len(header[1]) > 1:
                counts[table] += 1
                table += (str(counts[table] - 1),)
            yield number, table
        elif setting := _SETTING.match(line):
            yield number, table + _parts(setting[1])


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in _PART.findall(dotted))
