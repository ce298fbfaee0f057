"""Where files may lie, given that PostgreSQL refuses to run as root.

As root the server runs as ``nobody``, which must be able to walk to its data and its own binaries. A home folder
such as ``/root`` (mode 0700) stops it, so what cannot be reached moves below ``/var/lib``.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ServerUnavailableError

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the terminating zero and "/.s.PGSQL.5432" included.
LONGEST_SOCKET_FOLDER = 85
SYSTEM_BASES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - ownership and mode are checked before use


@dataclass(frozen=True, kw_only=True)
class Account:
    """An operating-system user to run a server as."""

    name: str
    uid: int
    gid: int


def postgres_account() -> Account | None:
    """``nobody`` when we are root, None when PostgreSQL can run as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ServerUnavailableError(
            "PostgreSQL refuses to run as root and this machine has no user 'nobody': "
            "run as a plain user, or set DATABASE_URL to a running server."
        ) from None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def reachable(folder: Path, account: Account) -> bool:
    """Whether ``account`` may walk into ``folder`` by the mode bits of every folder on the way."""
    resolved = folder.resolve()
    return all(_may_enter(step.stat(), account) for step in (resolved, *resolved.parents))


def postgres_home(state_dir: Path, account: Account | None) -> Path:
    """PostgreSQL's folder (mode 0700, owned by who runs it), created on first use.

    Where ``state_dir`` is out of the account's reach the folder lies below a system folder and ``state_dir`` holds a
    link to it; deleting the state folder therefore starts afresh, as it does everywhere else.
    """
    home = state_dir / "postgres"
    if account is None:
        home.mkdir(mode=0o700, exist_ok=True)
        return home.resolve()
    if not home.exists():
        home.unlink(missing_ok=True)  # a link whose target has been deleted
        if reachable(state_dir, account):
            home.mkdir(mode=0o700)
        else:
            home.symlink_to(tempfile.mkdtemp(prefix="postgres-", dir=_system_folder()))
        os.chown(home, account.uid, account.gid)
    resolved = home.resolve()
    if not reachable(resolved, account):
        raise ServerUnavailableError(
            f"PostgreSQL runs as '{account.name}', which cannot enter {resolved}: "
            "name another state folder, run as a plain user, or set DATABASE_URL to a running server."
        )
    return resolved


def socket_folder(account: Account | None) -> Path:
    """A new folder with a short path that only the server's user (and root) can enter."""
    for base in (Path(tempfile.gettempdir()), Path("/tmp"), *SYSTEM_BASES):  # noqa: S108 - mkdtemp makes it private
        if len(os.fsencode(base)) + len("/mspbyte-12345678") > LONGEST_SOCKET_FOLDER:
            continue
        if not os.access(base, os.W_OK | os.X_OK) or (account and not reachable(base, account)):
            continue
        folder = Path(tempfile.mkdtemp(prefix="mspbyte-", dir=base))
        if account:
            os.chown(folder, account.uid, account.gid)
        return folder
    raise ServerUnavailableError("No temporary folder can hold PostgreSQL's socket: set TMPDIR to a writable folder.")


def reachable_install(install: Path, account: Account | None) -> Path:
    """``install`` itself, or a copy below a system folder when ``account`` cannot execute it where it is."""
    if account is None or _executable(install, account):
        return install
    program = install / "bin" / "postgres"
    facts = f"{program}:{program.stat().st_size}:{program.stat().st_mtime_ns}"
    copy = _system_folder() / f"binaries-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"
    if not copy.is_dir():
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=copy.parent))
        _copy_readable(install, unfinished / install.parent.name / install.name)
        # The programs look for their libraries at a path relative to themselves: beside the package's folder.
        libraries = install.parent.with_suffix(".libs")
        if libraries.is_dir():
            _copy_readable(libraries, unfinished / libraries.name)
        unfinished.chmod(0o755)
        if not copy.is_dir():  # else another process was faster and ours stays unused
            unfinished.rename(copy)
    return copy / install.parent.name / install.name


@contextmanager
def temporary_state_folder() -> Iterator[Path]:
    """A state folder for one test session, within PostgreSQL's reach also as root, erased at the end."""
    for base in (Path(tempfile.gettempdir()), *SYSTEM_BASES):
        account = postgres_account()
        if os.access(base, os.W_OK | os.X_OK) and (account is None or reachable(base, account)):
            break
    folder = Path(tempfile.mkdtemp(prefix="mspbyte-state-", dir=base))
    try:
        folder.chmod(0o711)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644))


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _executable(install: Path, account: Account) -> bool:
    # An installation under umask 077 is closed to others from the first file to the last, so two samples will do.
    others = stat.S_IROTH | stat.S_IXOTH
    samples = (install / "bin" / "postgres", install / "share")
    return reachable(install / "bin", account) and all(path.stat().st_mode & others == others for path in samples)


def _system_folder() -> Path:
    """A folder of root's that everyone may walk through; squatted or writable ones are passed over."""
    for base in SYSTEM_BASES:
        folder = base / "mspbyte-embedded"
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022:
                folder.chmod(0o755)
                return folder
        except OSError:
            continue
    raise ServerUnavailableError(
        "PostgreSQL runs as 'nobody' and neither /var/lib nor /var/tmp can hold its files: "
        "name a state folder that 'nobody' can enter, or set DATABASE_URL to a running server."
    )
