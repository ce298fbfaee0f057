"""What a check of ``mspbyte doctor`` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    """Works for now."""
    FAIL = "fail"
    """Syncs do not run, or their results do not reach anybody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing looked at: how it stands in a sentence, and what mends it, empty where nothing needs to."""

    name: str
    status: Status
    sentence: str
    fix: str = ""


def ok(name: str, sentence: str) -> Check:
    return Check(name=name, status=Status.OK, sentence=sentence)


def warn(name: str, sentence: str, fix: str) -> Check:
    return Check(name=name, status=Status.WARN, sentence=sentence, fix=fix)


def fail(name: str, sentence: str, fix: str) -> Check:
    return Check(name=name, status=Status.FAIL, sentence=sentence, fix=fix)
