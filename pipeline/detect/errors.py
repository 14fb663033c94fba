"""What can be wrong with a model: one sentence for a person, without a traceback's words."""

from __future__ import annotations


class ModelError(Exception):
    """The model or its labels cannot be used: the message says why and what to do. Trying again helps only
    when the files or the settings have changed.
    """
