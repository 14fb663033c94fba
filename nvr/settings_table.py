"""What every table of the configuration is: frozen, strict, without settings that nobody knows.

`hide_input_in_errors`: a message never repeats what was written, which may be a password.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SettingsTable(BaseModel):
    """One table of the TOML file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)
