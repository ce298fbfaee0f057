"""Ids look like Entra's and can be read back."""

from __future__ import annotations

import re
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from graphsim.directory.seeding import MAX_NUMBER, derive_key, number_of, numbered_guid

KEY = derive_key("tests")


@given(st.integers(0, MAX_NUMBER - 1))
def test_an_id_tells_the_number_it_was_made_from(number: int) -> None:
    assert number_of(KEY, b"user", numbered_guid(KEY, b"user", number)) == number


@given(st.integers(0, MAX_NUMBER - 1))
def test_an_id_is_a_version_4_guid(number: int) -> None:
    text = numbered_guid(KEY, b"user", number)

    assert UUID(text).version == 4
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text)


def test_an_id_of_another_kind_tenant_or_of_nobody_is_not_recognised() -> None:
    text = numbered_guid(KEY, b"user", 7)

    assert number_of(KEY, b"group", text) is None
    assert number_of(derive_key("other"), b"user", text) is None
    assert number_of(KEY, b"user", "not-an-id") is None
    assert number_of(KEY, b"user", text[:-1] + ("0" if text[-1] != "0" else "1")) is None


def test_an_id_is_recognised_in_capitals() -> None:
    assert number_of(KEY, b"user", numbered_guid(KEY, b"user", 7).upper()) == 7


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert derive_key("a", "bc") != derive_key("ab", "c")
