"""A store in a temporary folder, and an identity to look into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crypto.identity import X25519Identity
from crypto.recipient import Recipient
from pipeline.store import Store
from tests.support.store_writing import make_store


@pytest.fixture(scope="session")
def identity() -> X25519Identity:
    """Opens what `recipients` seal."""
    return X25519Identity.generate(os.urandom)


@pytest.fixture
def recipients(identity: X25519Identity) -> list[Recipient]:
    """Whom the tests seal to."""
    return [identity.recipient]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A new, empty store."""
    return make_store(tmp_path / "store")
