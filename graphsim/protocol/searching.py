"""``$search`` on directory objects: https://learn.microsoft.com/graph/search-query-parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import bad_request

_CLAUSE = re.compile(r'\s*(?:"(?P<name>\w+):(?P<text>[^"]*)"|(?P<word>AND|OR)\b)', re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")
_TOKENIZED = frozenset({"displayname", "description"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One clause ``"property:text"``."""

    name: str
    text: str


Search = tuple[tuple[Term, ...], ...]
"""Any of these, each of which is all of its terms."""


def parse_search(text: str) -> Search:
    """The clauses, or Graph's 400. ``AND`` goes before ``OR``."""
    alternatives: list[list[Term]] = [[]]
    place, expects_term = 0, True
    while text[place:].strip():
        found = _CLAUSE.match(text, place)
        if found is None or bool(found["name"]) is not expects_term:
            raise bad_request(f"Syntax error: character at position {place} is not valid in '{text}'.")
        if found["name"]:
            alternatives[-1].append(Term(name=found["name"], text=found["text"].strip()))
        elif found["word"].upper() == "OR":
            alternatives.append([])
        place, expects_term = found.end(), not expects_term
    if expects_term:
        raise bad_request(f"Syntax error: '{text}' ends where a clause is expected.")
    return tuple(tuple(terms) for terms in alternatives)


def is_found(search: Search, body: Json) -> bool:
    """Names and descriptions are searched word by word, other properties from their beginning."""
    return any(all(_has(term, body) for term in terms) for terms in search)


def _has(term: Term, body: Json) -> bool:
    name = term.name.lower()
    value = next((value for known, value in body.items() if known.lower() == name), None)
    if not isinstance(value, str):
        return False
    if name not in _TOKENIZED:
        return value.casefold().startswith(term.text.casefold())
    words = _WORDS.findall(value.casefold())
    return all(any(word.startswith(wanted) for word in words) for wanted in _WORDS.findall(term.text.casefold()))
