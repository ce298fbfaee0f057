"""A sign-in that never answers ends with the run's time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from pipeline.domain.capture import Page, Resource
from pipeline.errors import DeadlineExceededError, ProviderUnavailableError
from pipeline.providers.microsoft365.auth import Credentials
from pipeline.providers.microsoft365.source import Microsoft365Source


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"


def read(authority: str, *, seconds: float) -> list[Page]:
    source = Microsoft365Source(
        Credentials(tenant_id="11111111-2222-3333-4444-555555555555", client_id="app", credential="made-up"),
        base_url=authority,
        authority=authority,
        deadline=time.monotonic() + seconds,
    )
    pages: list[Page] = []
    source.read([Resource.USERS], pages.append)
    return pages


def test_a_silent_sign_in_ends_with_the_run_s_time(silent: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailableError):
        read(silent, seconds=0.3)
    assert time.monotonic() - begun < 3


def test_no_sign_in_begins_after_the_run_s_time(silent: str) -> None:
    with pytest.raises(DeadlineExceededError):
        read(silent, seconds=-1.0)
