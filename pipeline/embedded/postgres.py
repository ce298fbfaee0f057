"""PostgreSQL on a unix socket in a private folder, with peer authentication: no port and no password to leak."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from pipeline.embedded import binaries, placement
from pipeline.embedded.leftovers import end_leftovers
from pipeline.embedded.process import Launch, run_as
from pipeline.errors import ServerUnavailableError

DATABASE = "mspbyte"

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "128MB",
    "max_connections": "200",  # prefork children, relay, exporter and tests each hold a few
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",  # compiling costs more than any of our queries takes
}
#: For tests: a machine's crash may lose everything, a process's crash loses nothing.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def prepare(state_dir: Path, log: Path, *, durable: bool) -> Launch:
    """Create the cluster if there is none and say how to launch it; every call takes a new socket folder."""
    caller = _caller()
    account = placement.postgres_account()
    install = placement.reachable_install(binaries.postgres_install(), account)
    home = placement.postgres_home(state_dir, account)
    data = home / "data"
    end_leftovers(data)
    if not data.exists():
        _initialize(install, home, account, log, durable=durable)
    _check_version(data)
    _clear_stale_pid(data)
    _write_access_rules(data, caller, account)
    socket = _new_socket_folder(state_dir / "socket", account)
    settings = SETTINGS | ({} if durable else NOT_DURABLE) | {"unix_socket_directories": f'"{socket}"'}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    url = f"postgresql://{DATABASE}@/{DATABASE}?host={quote(str(socket))}"
    return Launch(
        name="postgres",
        title="PostgreSQL",
        command=(str(install / "bin" / "postgres"), "-D", str(data), *options),
        folder=data,
        log=log,
        url=url,
        is_ready=lambda: _is_ready(url, socket),
        account=account,
    )


def socket_folder_of(launch: Launch) -> Path:
    """The folder to remove when the server is gone."""
    quoted = next(part for part in launch.command if part.startswith("unix_socket_directories="))
    return Path(quoted.partition("=")[2].strip('"'))


def _initialize(install: Path, home: Path, account: placement.Account | None, log: Path, *, durable: bool) -> None:
    """``initdb`` into a neighbour that is renamed when complete: a killed first start leaves no half cluster."""
    unfinished = home / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [str(install / "bin" / "initdb"), "-D", str(unfinished), "-U", DATABASE, "--auth=peer"]
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--no-instructions", *([] if durable else ["--no-sync"])]
    with log.open("ab") as output:
        status = run_as(account, tuple(command), folder=home, output=output.fileno()).wait()
    if status != 0:
        raise ServerUnavailableError(
            f"PostgreSQL's initdb ended with status {status}: see {log} (it needs free space in {home}), "
            f"or set DATABASE_URL to a running server."
        )
    unfinished.rename(data := home / "data")
    if durable:
        _sync_folder(data.parent)


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != binaries.POSTGRES_MAJOR:
        raise ServerUnavailableError(
            f"{data} was written by PostgreSQL {version} and this is {binaries.POSTGRES_MAJOR}: "
            "move that folder away, or set DATABASE_URL to a running server."
        )


def _clear_stale_pid(data: Path) -> None:
    """Remove a pid file whose number now belongs to a stranger; PostgreSQL clears the other stale ones itself.

    It does that with a look at its shared memory as well, so the file is left to it wherever it can decide.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if psutil.pid_exists(pid):
        pid_file.unlink()


def _caller() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ServerUnavailableError(
            f"PostgreSQL cannot run as user id {os.geteuid()}, which has no name on this machine: "
            "run as a named user, or set DATABASE_URL to a running server."
        ) from None


def _write_access_rules(data: Path, caller: str, account: placement.Account | None) -> None:
    """Only the user who starts the server may connect, also where the server runs as ``nobody``."""
    rules = {
        "pg_hba.conf": "local all all peer map=embedded\n",
        "pg_ident.conf": f'embedded "{caller}" {DATABASE}\n',
    }
    for name, text in rules.items():
        file = data / name
        file.write_text(text)
        if account:
            os.chown(file, account.uid, account.gid)


def _new_socket_folder(link: Path, account: placement.Account | None) -> Path:
    """A fresh folder, and a link to it that lets ``psql -h`` find it and us remove what a crash left behind."""
    if link.is_symlink():
        shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()
    folder = placement.socket_folder(account)
    link.symlink_to(folder)
    return folder


def _is_ready(url: str, socket: Path) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return _create_database(socket)
    return True


def _create_database(socket: Path) -> bool:
    """On the first start the server is up before our database exists; False while it is not even up."""
    maintenance = f"postgresql://{DATABASE}@/postgres?host={quote(str(socket))}"
    try:
        with psycopg.connect(maintenance, connect_timeout=5, autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
