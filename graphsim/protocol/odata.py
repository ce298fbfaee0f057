"""OData query options: read, checked against what a resource takes, and applied to objects."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import bad_request, expired_page_token, not_simulated, unsupported_query
from graphsim.protocol.filter_language import Expression, parse
from graphsim.protocol.schema import EntityShape
from graphsim.protocol.searching import Search, parse_search

DEFAULT_PAGE = 100
_REAL_OPTIONS = frozenset(
    {"$apply", "$count", "$deltatoken", "$expand", "$filter", "$format", "$orderby", "$search", "$select", "$skip"}
    | {"$skiptoken", "$top"}
)

_PAGING = frozenset({"$top", "$skip", "$skiptoken", "$count"})
"""Options that resources without pages turn down."""

_EXPANDED = re.compile(r"([^,()\s]+)\s*(?:\(([^)]*)\))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """The options of one request. ``select`` is ``None`` when absent, ``top`` is the page size to use."""

    select: tuple[str, ...] | None = None
    expand: tuple[str, ...] = ()
    nested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What was selected of the expanded objects, by what was expanded."""
    top: int = DEFAULT_PAGE
    skip_token: str = ""
    count: bool = False
    filter: Expression | None = None
    search: Search | None = None
    order: tuple[tuple[str, bool], ...] = ()
    """Properties to sort by, and whether descending."""

    @property
    def chooses(self) -> bool:
        """Whether objects have to be looked at to know which come, and in which order."""
        return bool(self.filter or self.search or self.order)


def read_query(parameters: Iterable[tuple[str, str]], *, supported: frozenset[str], shape: EntityShape) -> Query:
    """The query, or a ``GraphError`` naming the option that can't be had. Names are case-insensitive."""
    given: dict[str, str] = {}
    for raw_name, value in parameters:
        name = raw_name.lower()
        if not name.startswith("$"):
            continue  # custom query options are ignored, as OData has it
        if name not in _REAL_OPTIONS:
            raise bad_request(f"The query parameter '{raw_name}' is not supported.")
        if name in given:
            raise bad_request(f"Query option '{raw_name}' was specified more than once, but it must be specified once.")
        if name in _PAGING and name not in supported:
            raise unsupported_query(f"The query option {raw_name} is not supported on this resource.")
        if name not in supported and name != "$format":
            raise not_simulated(f"The query option {raw_name} on this resource")
        given[name] = value
    _check_format(given.get("$format", "json"))
    expanded = _expand(given["$expand"], shape) if "$expand" in given else {}
    return Query(
        select=_select(given["$select"], shape) if "$select" in given else None,
        expand=tuple(expanded),
        nested={name: chosen for name, chosen in expanded.items() if chosen},
        top=_top(given.get("$top")),
        skip_token=given.get("$skiptoken", ""),
        count=_flag(given.get("$count", "false")),
        filter=parse(given["$filter"]) if "$filter" in given else None,
        search=parse_search(given["$search"]) if "$search" in given else None,
        order=_order(given.get("$orderby", "")),
    )


def _check_format(text: str) -> None:
    if text.lower().partition(";")[0] not in {"json", "application/json"}:
        raise bad_request(f"Invalid value '{text}' for $format query option found. Only JSON is supported.")


def _order(text: str) -> tuple[tuple[str, bool], ...]:
    """``displayName desc,id``"""
    chosen: list[tuple[str, bool]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = part.partition(" ")
        if direction.strip().lower() not in {"", "asc", "desc"}:
            raise bad_request(f"Syntax error in '{text}' of $orderby.")
        chosen.append((name, direction.strip().lower() == "desc"))
    return tuple(chosen)


def _top(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isascii() or not text.isdigit():
        raise bad_request(
            f"Invalid value '{text}' for $top query option found. The $top query option requires a "
            "non-negative integer value."
        )
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise bad_request(f"Invalid value '{text}' for $count query option found. Valid values are 'true' and 'false'.")
    return text.lower() == "true"


def _select(text: str, shape: EntityShape) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    spelling = {name.lower(): name for name in (*shape.known, *shape.empty, *shape.elsewhere, *shape.unmodeled)}
    chosen: list[str] = []
    for name in names:
        real = spelling.get(name.lower())
        if real is None:
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                f"'{shape.type_name}'."
            )
        if real in shape.elsewhere or real in shape.unmodeled:
            raise not_simulated(f"Reading '{real}' of a collection")
        chosen.append(real)
    return tuple(dict.fromkeys(chosen))


def _expand(text: str, shape: EntityShape) -> dict[str, tuple[str, ...]]:
    """Related objects by name, with the properties chosen of them; no other option can be had in the parentheses."""
    spelling = {name.lower(): name for name in shape.navigation}
    chosen: dict[str, tuple[str, ...]] = {}
    for name, options in _EXPANDED.findall(text):
        if name.lower() not in spelling:
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                f"'{shape.type_name}'."
            )
        selected = options.lower().startswith("$select=") and ";" not in options
        if options and not selected:
            raise not_simulated(f"Expanding '{name}' with '{options}'")
        names = options.partition("=")[2].split(",") if selected else []
        chosen[spelling[name.lower()]] = tuple(part.strip() for part in names)
    return chosen


def check_top(top: int, limit: int) -> None:
    if not 1 <= top <= limit:
        raise unsupported_query(f"Invalid page size specified: '{top}'. Must be between 1 and {limit} inclusive.")


def pick(body: Json, names: Iterable[str], empty: frozenset[str]) -> Json:
    """The object reduced to these properties: absent ones stay absent, ``empty`` ones are null.

    Annotations always stay.
    """
    picked = {name: value for name, value in body.items() if name.startswith("@")}
    for name in names:
        if name in body:
            picked[name] = body[name]
        elif name in empty:
            picked[name] = None
    return picked


def write_skip_token(key: bytes, scope: str, position: int) -> str:
    """An opaque token for the page that begins at ``position`` of the list that ``scope`` names."""
    payload = position.to_bytes(6, "big")
    tag = hmac.digest(key, scope.encode() + payload, "sha256")[:12]
    return base64.urlsafe_b64encode(payload + tag).decode()


def read_skip_token(key: bytes, scope: str, token: str) -> int:
    """The position, or ``Directory_ExpiredPageToken`` for a token of another list, of another time or made up."""
    try:
        raw = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        raise expired_page_token() from None
    position = int.from_bytes(raw[:6], "big")
    if not hmac.compare_digest(write_skip_token(key, scope, position), token):
        raise expired_page_token()
    return position


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's value, empty when absent. Keys are expected in lower case."""
    return headers.get(name, "")
