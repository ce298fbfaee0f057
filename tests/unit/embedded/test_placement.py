"""Who may enter which folder, decided by mode bits alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pipeline.embedded import placement
from pipeline.embedded.placement import Account
from pipeline.errors import ServerUnavailableError


def status(mode: int, *, uid: int, gid: int) -> os.stat_result:
    return os.stat_result((stat.S_IFDIR | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "may"),
    [
        (0o755, 0, 0, True),
        (0o711, 0, 0, True),
        (0o700, 0, 0, False),
        (0o700, 65534, 0, True),
        (0o077, 65534, 65534, False),  # the owner's bits decide, even against the owner
        (0o710, 0, 65534, True),
        (0o701, 0, 65534, False),  # and the group's against a member
    ],
)
def test_the_first_class_that_fits_decides(mode: int, uid: int, gid: int, may: bool) -> None:  # noqa: FBT001 - a table of cases
    account = Account(name="nobody", uid=65534, gid=65534)
    assert placement._may_enter(status(mode, uid=uid, gid=gid), account) is may


def test_one_closed_folder_on_the_way_is_enough(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    stranger = Account(name="stranger", uid=54321, gid=54321)
    closed.chmod(0o700)
    assert not placement.reachable(closed / "open", stranger)


def test_a_plain_users_home_for_postgresql_lies_in_its_state_folder(tmp_path: Path) -> None:
    home = placement.postgres_home(tmp_path, None)
    assert home == tmp_path / "postgres"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert placement.reachable_install(tmp_path, None) == tmp_path


def test_a_long_temporary_folder_is_passed_over_for_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    folder = placement.socket_folder(None)
    try:
        assert not folder.is_relative_to(long)
        assert len(str(folder / ".s.PGSQL.5432")) < 104
    finally:
        folder.rmdir()


def test_a_system_folder_that_others_can_write_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squatted = tmp_path / "mspbyte-embedded"
    squatted.mkdir()
    squatted.chmod(0o777)
    monkeypatch.setattr(placement, "SYSTEM_BASES", (tmp_path,))
    with pytest.raises(ServerUnavailableError, match="name a state folder that 'nobody' can enter"):
        placement._system_folder()


def test_a_temporary_state_folder_is_erased() -> None:
    with placement.temporary_state_folder() as folder:
        (folder / "file").touch()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    assert not folder.exists()
