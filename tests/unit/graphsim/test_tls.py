"""Certificates are made once, kept while good and replaced when not."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graphsim.tls import LIFETIME, ensure_certificates

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def test_certificates_are_reused_while_valid_and_remade_before_they_expire(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path / "tls", now=NOW).certificate.read_bytes()

    again = ensure_certificates(tmp_path / "tls", now=NOW + timedelta(days=300)).certificate.read_bytes()
    late = ensure_certificates(tmp_path / "tls", now=NOW + LIFETIME).certificate.read_bytes()

    assert again == first
    assert late != first


@pytest.mark.parametrize("name", ["ca.pem", "server.pem", "server.key"])
def test_a_missing_file_has_all_made_anew(tmp_path: Path, name: str) -> None:
    files = ensure_certificates(tmp_path, now=NOW)
    first = files.certificate.read_bytes()
    (tmp_path / name).unlink()

    ensure_certificates(tmp_path, now=NOW)

    assert files.certificate.read_bytes() != first
    assert (tmp_path / name).exists()


def test_damaged_or_foreign_certificates_are_replaced(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "one", now=NOW)
    other = ensure_certificates(tmp_path / "two", now=NOW)
    files.ca.write_bytes(other.ca.read_bytes())

    ensure_certificates(tmp_path / "one", now=NOW)
    assert files.ca.read_bytes() != other.ca.read_bytes()

    files.ca.write_text("damaged")
    ensure_certificates(tmp_path / "one", now=NOW)
    assert files.ca.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, now=NOW)

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
