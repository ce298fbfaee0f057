"""Which code this is: a digest over the source of packages, so that results of other code are known as such."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

RULES = ("analyzers", "pipeline.domain")
"""The packages that decide a verdict."""


@cache
def code_fingerprint(*packages: str) -> str:
    """32 hexadecimal digits over every Python file of the packages."""
    digest = hashlib.blake2b(digest_size=16)
    for package in packages:
        _add(digest, files(package))
    return digest.hexdigest()


def _add(digest: hashlib.blake2b, folder: Traversable) -> None:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir() and entry.name != "__pycache__":
            _add(digest, entry)
        elif entry.name.endswith(".py"):
            digest.update(entry.name.encode() + b"\0" + entry.read_bytes())
