"""A wall clock that a test sets for the `nvr` processes it starts.

clock = ClockSetting(tmp_path)
with house.running(**clock.environment) ...      # or monkeypatch.setenv for each of them
clock.move(14 * YEAR_S)
"""

from __future__ import annotations

from pathlib import Path

YEAR_S = 31_557_600


class ClockSetting:
    """How far the clock of the processes that carry `environment` is moved: not at all at first."""

    def __init__(self, place: Path) -> None:
        self._file = place / "clock"
        self.move(0)

    @property
    def environment(self) -> dict[str, str]:
        """What these processes need in their environment."""
        return {
            "PYTHONPATH": str(Path(__file__).with_name("shifted_clock")),
            "NVR_TEST_CLOCK": str(self._file),
        }

    def move(self, seconds: int) -> None:
        """Takes effect at once, in all of them."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._file)
