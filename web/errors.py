"""What can go wrong in the dashboard, by what the caller does next."""

from __future__ import annotations


class WebError(Exception):
    """Base of what `web` raises; the message is one sentence for a person."""


class CertificateTrouble(WebError):
    """A certificate or its key cannot be made, read or used; trying again does not help."""
