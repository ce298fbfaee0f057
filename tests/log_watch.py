"""Watches the logs of the whole suite for what must never be in one: secrets, tokens and names of persons."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from graphsim.directory.words import FIRST_NAMES, LAST_NAMES
from pipeline.observability.crashes import trace

_PERSON = rf"\b(?:{'|'.join(FIRST_NAMES)})(?:[ ._+]|%20)(?:{'|'.join(LAST_NAMES)})(?![a-z])"

KINDS: Mapping[str, re.Pattern[str]] = {
    "client secret": re.compile(r"(?:sim|halo)~[0-9a-f]{6}|client_secret['\"]?[=:] ?['\"]?[^\s*'\"]"),
    "token": re.compile(r"eyJ[\w-]{6,}\.[\w-]{6,}\.|\bBearer [\w~+/-]|\b\d+\.\d{9,}\.[0-9a-f]{64}\b"),
    "client assertion": re.compile(r"client_assertion['\"]?[=:] ?['\"]?[^\s*'\"]"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "SECRET_KEY": re.compile(r"(?<![\w/+-])[\w-]{43}=(?![\w=-])"),
    "password in a URL": re.compile(r"\b[a-z][a-z+]*://[^\s/:@]*:(?!\*+@)[^\s/@]+@"),
    "page or delta token": re.compile(r"(?:\$|%24)(?:delta|skip)token=\w", re.IGNORECASE),
    "user principal name": re.compile(r"[\w.+#-]+(?:@|%40)(?:[\w-]+\.)+example\b", re.IGNORECASE),
    "name of a person": re.compile(_PERSON, re.IGNORECASE),
}


def leaks_in(text: str) -> list[str]:
    """The kinds of things in the text that must not be there."""
    return [kind for kind, pattern in KINDS.items() if pattern.search(text)]


def leaks_in_files(folder: Path) -> list[str]:
    """Every leak in the logs a test's processes left: file, line and kind, never the line itself."""
    return [
        f"{path.name}:{number}: {kind}"
        for path in sorted(folder.rglob("*.log"))
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        for kind in leaks_in(line)
    ]


@dataclass(slots=True)
class LogWatch:
    """What was found in the log records of this process since it was last asked, and how many there were."""

    records: int = 0
    found: list[str] = field(default_factory=list)

    def look(self, record: logging.LogRecord) -> None:
        self.records += 1
        self.found += [f"{record.name} ({record.filename}:{record.lineno}): {kind}" for kind in leaks_in(_text(record))]

    def take(self) -> list[str]:
        taken, self.found = self.found, []
        return taken


def _text(record: logging.LogRecord) -> str:
    """All a formatter could make of the record; of an error what the system's own formatter makes of it."""
    said = record.msg if isinstance(record.msg, dict) else record.getMessage()
    plain = {name: value for name, value in said.items() if name != "exc_info"} if isinstance(said, dict) else said
    errors = [record.exc_info[1] if record.exc_info else None]
    errors += [said.get("exc_info")] if isinstance(said, dict) else []
    return "\n".join([str(plain), *(trace(error) for error in errors if isinstance(error, BaseException))])


@contextmanager
def watching_records(watch: LogWatch) -> Iterator[None]:
    """Shows the watch every record of the standard library's loggers, whichever handlers there are."""
    before: Callable[..., logging.LogRecord] = logging.getLogRecordFactory()

    def make(*args: object, **kwargs: object) -> logging.LogRecord:
        record = before(*args, **kwargs)
        watch.look(record)
        return record

    logging.setLogRecordFactory(make)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)
