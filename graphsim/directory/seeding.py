"""Every made-up value as a pure function of a key: same seed, same tenant, on any machine, in any order.

Ids look like the GUIDs Entra hands out and can be read back: ``number_of`` tells which object an id names, so a
tenant of a million users needs no table of ids.
"""

from __future__ import annotations

from hashlib import blake2b

MAX_NUMBER = 2**32
"""Ids carry a 32-bit number."""


def derive_key(*parts: str | int | bytes) -> bytes:
    """32 bytes that stand for the parts, in their order."""
    text = "\x1f".join(part.hex() if isinstance(part, bytes) else str(part) for part in parts)
    return blake2b(text.encode(), digest_size=32).digest()


def draw(key: bytes, label: bytes, number: int) -> bytes:
    """64 random-looking bytes for one numbered thing; ``label`` (at most 16 bytes) keeps the draws apart."""
    return blake2b(number.to_bytes(8, "big"), key=key, person=label).digest()


def guid(raw: bytes) -> str:
    """The first 16 bytes written as a version 4 GUID."""
    text = raw[:16].hex()
    variant = "89ab"[raw[8] & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def _tail(key: bytes, label: bytes, number: int) -> str:
    return guid(bytes(4) + draw(key, label, number)[:12])[8:]


def _mask(key: bytes, tail: str) -> int:
    return int.from_bytes(blake2b(tail.encode(), key=key, digest_size=4).digest(), "big")


def numbered_guid(key: bytes, label: bytes, number: int) -> str:
    """The id of the numbered object of that kind. Inverse: ``number_of``."""
    tail = _tail(key, label, number)
    return f"{number ^ _mask(key, tail):08x}{tail}"


def number_of(key: bytes, label: bytes, text: str) -> int | None:
    """The number an id was made from, or ``None`` when this key and label never made it."""
    head, tail = text[:8].lower(), text[8:].lower()
    try:
        number = int(head, 16) ^ _mask(key, tail)
    except ValueError:
        return None
    return number if _tail(key, label, number) == tail else None
