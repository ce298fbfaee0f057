"""``$filter`` as a tree: https://learn.microsoft.com/graph/filter-query-parameter.

A parser of our own: the published one (odata-query) takes function names in one spelling where Graph takes any, knows
no ``/$count``, and would bring three packages along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from graphsim.protocol.errors import GraphError, bad_request

Literal = str | bool | int | float | datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Path:
    """A property, or one of a property's; of an item within ``any``, nothing at all is the item itself."""

    names: tuple[str, ...]
    counted: bool = False
    """Ends in ``/$count``: how many items the collection has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    operator: str
    path: Path
    value: Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Among:
    path: Path
    values: tuple[Literal, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextMatch:
    """``startswith``, ``endswith`` or ``contains``."""

    function: str
    path: Path
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lambda:
    """``any`` or ``all``; the condition is about one item. ``any()`` has none."""

    quantifier: str
    path: Path
    condition: Expression | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    of: Expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Logical:
    """``and`` or ``or``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, kw_only=True, slots=True)
class IsOf:
    type_name: str


Expression = Comparison | Among | TextMatch | Lambda | Not | Logical | IsOf

_COMPARING = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_MATCHING = frozenset({"startswith", "endswith", "contains"})
_HEX = "[0-9a-fA-F]"
_TOKEN = re.compile(
    rf"""\s*(?:(?P<text>'(?:[^']|'')*')
    |(?P<guid>{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}})
    |(?P<moment>\d{{4}}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<name>[$\w][\w.$]*)
    |(?P<mark>[()/,:]))""",
    re.VERBOSE,
)
_END = ("end", "")


def parse(text: str) -> Expression:
    """The tree, or Graph's 400 for what is no filter."""
    parser = _Parser(text)
    tree = parser.alternative()
    parser.take("end")
    return tree


class _Parser:
    """One method for each precedence; ``variable`` is the innermost lambda's."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._read()
        self._place = 0
        self._variable = ""

    def _read(self) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        place = 0
        while self._text[place:].strip():
            found = _TOKEN.match(self._text, place)
            if found is None or found.lastgroup is None:
                raise self._wrong(self._text[place:].strip())
            tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        return [*tokens, _END]

    def _wrong(self, near: str) -> GraphError:
        return bad_request(f"Invalid filter clause: Syntax error near '{near}' in '{self._text}'.")

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place]

    def _is(self, *words: str) -> bool:
        return self._next()[1].lower() in words

    def take(self, kind: str, *words: str) -> str:
        """The next token's text, if it is of that kind and one of the words."""
        found, text = self._next()
        if found != kind or (words and text.lower() not in words):
            raise self._wrong(text or "the end")
        self._place += 1
        return text

    def alternative(self) -> Expression:
        left = self._conjunction()
        while self._is("or"):
            self._place += 1
            left = Logical(operator="or", left=left, right=self._conjunction())
        return left

    def _conjunction(self) -> Expression:
        left = self._negation()
        while self._is("and"):
            self._place += 1
            left = Logical(operator="and", left=left, right=self._negation())
        return left

    def _negation(self) -> Expression:
        if self._is("not"):
            self._place += 1
            return Not(of=self._negation())
        if self._is("("):
            self._place += 1
            inside = self.alternative()
            self.take("mark", ")")
            return inside
        return self._condition()

    def _condition(self) -> Expression:
        called = self._tokens[self._place + 1][1] == "(" if self._next() != _END else False
        if called and self._is("isof"):
            return IsOf(type_name=self._arguments()[0].removeprefix("#"))
        if called and self._is(*_MATCHING):
            function = self._next()[1].lower()
            return self._text_match(function)
        names = self._names()
        if names[-1] in {"any", "all"} and self._is("("):
            return self._lambda(names)
        path = self._path(names)
        operator = self.take("name", *_COMPARING, "in").lower()
        if operator == "in":
            return Among(path=path, values=self._values())
        return Comparison(operator=operator, path=path, value=self._literal())

    def _arguments(self) -> tuple[str]:
        self.take("name")
        self.take("mark", "(")
        text = _unquoted(self.take("text"))
        self.take("mark", ")")
        return (text,)

    def _text_match(self, function: str) -> TextMatch:
        self.take("name")
        self.take("mark", "(")
        path = self._path(self._names())
        self.take("mark", ",")
        text = _unquoted(self.take("text"))
        self.take("mark", ")")
        return TextMatch(function=function, path=path, text=text)

    def _names(self) -> list[str]:
        names = [self.take("name")]
        while self._is("/"):
            self._place += 1
            name = self.take("name")
            names.append(name.lower() if name.lower() in {"any", "all"} else name)
        return names

    def _path(self, names: list[str]) -> Path:
        if self._variable:
            if names[0] != self._variable:
                raise self._wrong(names[0])
            names = names[1:]
        counted = names[-1:] == ["$count"]
        return Path(names=tuple(names[:-1] if counted else names), counted=counted)

    def _lambda(self, names: list[str]) -> Lambda:
        path = self._path(names[:-1])
        self.take("mark", "(")
        condition: Expression | None = None
        if not self._is(")"):
            outer, self._variable = self._variable, self.take("name")
            self.take("mark", ":")
            condition = self.alternative()
            self._variable = outer
        self.take("mark", ")")
        return Lambda(quantifier=names[-1], path=path, condition=condition)

    def _values(self) -> tuple[Literal, ...]:
        self.take("mark", "(")
        values = [self._literal()]
        while self._is(","):
            self._place += 1
            values.append(self._literal())
        self.take("mark", ")")
        return tuple(values)

    def _literal(self) -> Literal:
        kind, text = self._next()
        self._place += kind != "end"
        match kind, text.lower():
            case "text", _:
                return _unquoted(text)
            case "guid", lowered:
                return lowered
            case "moment", _:
                return self._moment(text)
            case "number", _:
                return float(text) if "." in text else int(text)
            case "name", ("true" | "false" | "null") as word:
                return {"true": True, "false": False, "null": None}[word]
        raise self._wrong(text or "the end")

    def _moment(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self._wrong(text) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")
