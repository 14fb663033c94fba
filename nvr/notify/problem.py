"""What is wrong with a receiver just now: said once in the log, and in the report until it is over."""

from __future__ import annotations

import logging

_log = logging.getLogger("nvr.notify")


class Problem:
    """One receiver's. `text` is empty when all is well."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""

    def is_there(self, text: str) -> None:
        """Something is wrong; `text` is for a person and free of secrets."""
        if text != self.text:
            self.text = text
            _log.warning("%s: %s", self.name, text)

    def is_over(self) -> None:
        """All is well again."""
        if self.text:
            self.text = ""
            _log.info("%s: works again", self.name)
