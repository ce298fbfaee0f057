"""JSON held against Microsoft's published types: names, types, nulls and enumerated values."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

TABLES = sorted(Path(__file__).parent.glob("microsoft_schema*.txt"))
PROPERTY = re.compile(r"(\w+)(\??)=(\[?)([\w.]+)\]?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """What a property holds."""

    type: str
    nullable: bool
    many: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    types: Mapping[str, Mapping[str, Property]]
    enums: Mapping[str, frozenset[str]]
    flags: frozenset[str]
    """The enumerations whose values may be several, separated by commas."""


@lru_cache(maxsize=1)
def schema() -> Schema:
    tables = [_table(path.read_text(encoding="utf-8")) for path in TABLES]
    types = [line.split(":", 1) for lines, _ in tables for line in lines]
    enums = [line.split(":", 1) for _, lines in tables for line in lines]
    return Schema(
        types={name: _properties(rest) for name, rest in types},
        enums={name.removesuffix(" (flags)"): frozenset(rest.split()) for name, rest in enums},
        flags=frozenset(name.removesuffix(" (flags)") for name, _ in enums if name.endswith(" (flags)")),
    )


def _table(text: str) -> tuple[list[str], list[str]]:
    plain = re.sub(r"\n  ", " ", re.sub(r"(?m)^#.*\n", "", text))
    types, enums = plain.removeprefix("\n[types]\n").split("\n\n[enums]\n")
    return types.splitlines(), enums.splitlines()


def _properties(text: str) -> dict[str, Property]:
    return {
        name: Property(type=kind, nullable=bool(optional), many=bool(many))
        for name, optional, many, kind in PROPERTY.findall(text)
    }


def violations(type_name: str, value: object, path: str = "") -> Iterator[str]:
    """What of the JSON object is not as the type has it: one line each, with the place."""
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no {type_name}"
        return
    told = str(value.get("@odata.type", "")).removeprefix("#microsoft.graph.")
    known = schema().types[told or type_name]
    for name, found in value.items():
        place = f"{path}/{name}"
        if "@" in name:
            continue  # control information and annotations
        if name not in known:
            yield f"{place}: {told or type_name} has no such property"
        else:
            yield from _of_property(known[name], found, place)


def _of_property(wanted: Property, found: object, place: str) -> Iterator[str]:
    if found is None:
        if not wanted.nullable:
            yield f"{place}: null"
    elif not wanted.many:
        yield from _of_type(wanted.type, found, place)
    elif not isinstance(found, list):
        yield f"{place}: {found!r} is no list"
    else:
        for number, one in enumerate(found):
            yield from _of_type(wanted.type, one, f"{place}/{number}")


def _of_type(kind: str, found: object, place: str) -> Iterator[str]:
    known = schema()
    if kind in known.types:
        yield from violations(kind, found, place)
    elif kind in known.enums:
        values = str(found).split(",") if kind in known.flags else [found]
        yield from (f"{place}: {one!r} is no {kind}" for one in values if one not in known.enums[kind])
    elif not PRIMITIVES[kind](found):
        yield f"{place}: {found!r} is no {kind}"


def _is_guid(found: object) -> bool:
    return isinstance(found, str) and str(UUID(found)) == found.lower()


def _is_moment(found: object) -> bool:
    return isinstance(found, str) and MOMENT.fullmatch(found) is not None and datetime.fromisoformat(found) is not None


def _is_int(found: object) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**31


def _is_binary(found: object) -> bool:
    return isinstance(found, str) and base64.b64encode(base64.b64decode(found)).decode() == found


PRIMITIVES: Mapping[str, Callable[[object], bool]] = {
    "Binary": _is_binary,
    "Boolean": lambda found: isinstance(found, bool),
    "DateTimeOffset": _is_moment,
    "Double": lambda found: isinstance(found, int | float) and not isinstance(found, bool),
    "Guid": _is_guid,
    "Int32": _is_int,
    "String": lambda found: isinstance(found, str),
}
