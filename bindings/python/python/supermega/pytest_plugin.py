"""Fixtures for pytest: ``mega_server``, a local server with one user, and ``mega``, a session of that user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .drive import Mega
    from .testing import Server


@pytest.fixture
def mega_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A local server with one user, ``supermega.testing.EMAIL``. ``SUPERMEGA_API_URL`` leads to it."""
    from .testing import Server

    with Server() as server:
        monkeypatch.setenv("SUPERMEGA_API_URL", server.url)
        yield server


@pytest.fixture
def mega(mega_server: Server) -> Iterator[Mega]:
    """A session of the server's user."""
    from .drive import connect
    from .testing import EMAIL, PASSWORD

    with connect(EMAIL, PASSWORD, api_url=mega_server.url) as mega:
        yield mega
