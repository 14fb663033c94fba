"""Measures speed and memory against the real alternatives, in the same run: `make bench`."""
