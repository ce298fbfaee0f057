"""Filters as trees."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphsim.protocol.errors import GraphError
from graphsim.protocol.filter_language import (
    Among,
    Comparison,
    Expression,
    IsOf,
    Lambda,
    Literal,
    Logical,
    Not,
    Path,
    TextMatch,
    parse,
)
from graphsim.protocol.filtering import holds

SKU = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"


def compared(name: str, value: Literal, operator: str = "eq") -> Comparison:
    return Comparison(operator=operator, path=Path(names=(name,)), value=value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("accountEnabled eq true", compared("accountEnabled", value=True)),
        ("accountEnabled EQ false", compared("accountEnabled", value=False)),
        ("displayName eq 'O''Neill'", compared("displayName", "O'Neill")),
        ("skuId eq " + SKU.upper(), compared("skuId", SKU)),
        ("a ge 2026-01-31T08:15:00Z", compared("a", datetime(2026, 1, 31, 8, 15, tzinfo=UTC), "ge")),
        ("a lt 2026-01-31", compared("a", datetime(2026, 1, 31, tzinfo=UTC), "lt")),
        ("a gt -2.5", compared("a", -2.5, "gt")),
        ("a ne null", compared("a", None, "ne")),
        ("status/errorCode eq 0", Comparison(operator="eq", path=Path(names=("status", "errorCode")), value=0)),
        ("id in ('a', 'b')", Among(path=Path(names=("id",)), values=("a", "b"))),
        ("startsWith(mail,'a')", TextMatch(function="startswith", path=Path(names=("mail",)), text="a")),
        ("endswith( mail , 'a' )", TextMatch(function="endswith", path=Path(names=("mail",)), text="a")),
        ("isof('microsoft.graph.user')", IsOf(type_name="microsoft.graph.user")),
        (
            "assignedLicenses/$count ne 0",
            Comparison(operator="ne", path=Path(names=("assignedLicenses",), counted=True), value=0),
        ),
        ("NOT(a eq 1)", Not(of=compared("a", 1))),
        (
            "a eq 1 or b eq 2 and not c eq 3",
            Logical(
                operator="or",
                left=compared("a", 1),
                right=Logical(operator="and", left=compared("b", 2), right=Not(of=compared("c", 3))),
            ),
        ),
        (
            "(a eq 1 or b eq 2) and c eq 3",
            Logical(
                operator="and",
                left=Logical(operator="or", left=compared("a", 1), right=compared("b", 2)),
                right=compared("c", 3),
            ),
        ),
        (
            f"assignedLicenses/any(x:x/skuId eq {SKU})",
            Lambda(quantifier="any", path=Path(names=("assignedLicenses",)), condition=compared("skuId", SKU)),
        ),
        (
            "groupTypes/Any(c:c eq 'Unified')",
            Lambda(
                quantifier="any",
                path=Path(names=("groupTypes",)),
                condition=Comparison(operator="eq", path=Path(names=()), value="Unified"),
            ),
        ),
        ("licenses/any()", Lambda(quantifier="any", path=Path(names=("licenses",)), condition=None)),
    ],
)
def test_a_filter_is_read(text: str, tree: Expression) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a eq",
        "a eq 'open",
        "a eq 1 b eq 2",
        "a like 'x'",
        "(a eq 1",
        "a in ()",
        "a in 'x'",
        "startswith(a)",
        "startswith(a,1)",
        "true eq a",
        "on and 1 eq 1",
        "a eq 2026-99-99",
        "x/any(y:z eq 1)",
        "a eq 1 and",
        "not",
        "a eq ~",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(GraphError) as refused:
        parse(text)

    assert (refused.value.status, refused.value.code) == (400, "BadRequest")


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    """A tree or Graph's 400; nothing else is raised."""
    with suppress(GraphError):
        parse(text)


@given(st.text(alphabet="abc'é ", max_size=8))
def test_a_text_is_found_by_itself(text: str) -> None:
    quoted = text.replace("'", "''")

    assert holds(parse(f"a eq '{quoted}'"), {"a": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'ADA'", True),
        ("name ne 'ada'", False),
        ("name gt 'Abe'", True),
        ("contains(name,'D')", True),
        ("nothing eq null", True),
        ("nothing ne 'x'", True),
        ("nothing gt 'x'", False),
        ("startswith(nothing,'x')", False),
        ("at ge 2026-01-01", True),
        ("at lt 2026-01-01T00:00:00Z", False),
        ("many/any(m:m/id eq 'b')", True),
        ("many/all(m:m/id eq 'b')", False),
        ("not many/any(m:m/id eq 'z')", True),
        ("many/$count eq 2", True),
        ("nothing/$count eq 0", True),
        ("many/any()", True),
        ("on eq true and number le 3", True),
        ("NUMBER in (1, 3)", True),
        ("one/two eq 5", True),
    ],
)
def test_an_object_matches_or_not(text: str, *, expected: bool) -> None:
    body = {
        "name": "Ada",
        "nothing": None,
        "at": "2026-02-01T10:00:00Z",
        "many": [{"id": "a"}, {"id": "b"}],
        "on": True,
        "number": 3,
        "one": {"two": 5},
    }
    assert holds(parse(text), body) is expected


@pytest.mark.parametrize("text", ["on eq 'true'", "number eq '3'", "name eq 3", "createdDateTime eq '2026-01-01'"])
def test_operands_of_other_types_are_refused(text: str) -> None:
    body = {"on": True, "number": 3, "name": "Ada", "createdDateTime": "2026-01-01T00:00:00Z"}
    with pytest.raises(GraphError, match="incompatible types") as refused:
        holds(parse(text), body)

    assert refused.value.status == 400
