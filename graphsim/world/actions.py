"""Words of the mutations' vocabulary: how one is checked and done, and the particulars they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from graphsim.world import tenant_mutations, user_mutations
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError, group_of, policy_of, user_of

Values = dict[str, object]


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    kind: user_mutations.SignInKind = "interactive"
    at: datetime | None = None


class License(msgspec.Struct, forbid_unknown_fields=True):
    sku: str


class Seats(msgspec.Struct, forbid_unknown_fields=True):
    seats: Annotated[int, msgspec.Meta(ge=0)]


class Name(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Who(msgspec.Struct, forbid_unknown_fields=True):
    user: str | int = ""
    group: str | int = ""


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    on: bool


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    form: Literal["gone", "bad_request", "not_found"]


class Lifecycle(msgspec.Struct, forbid_unknown_fields=True):
    event: tenant_mutations.Lifecycle


_Particulars = TypeVar("_Particulars", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One word of the vocabulary. ``target`` says what ``id`` names (with ``?``: may be left out)."""

    name: str
    about: str
    target: str
    takes: tuple[str, ...]
    """What may be set; with ``?``: may be left out."""
    check: Callable[[Values], object]
    """Raises ``ScenarioError`` for particulars that can't be."""
    apply: Callable[[TenantState, str, Values], str]
    """Does it; the result is the id of what it happened to, empty for the tenant itself."""


def action(
    name: str,
    about: str,
    target: str,
    particulars: type[_Particulars],
    act: Callable[[TenantState, str, _Particulars], str],
) -> Action:
    def read(values: Values) -> _Particulars:
        try:
            return msgspec.convert(values, particulars, strict=False)  # a command line gives text only
        except msgspec.ValidationError as error:
            raise ScenarioError(f"{name}: {error}") from None

    takes = tuple(field.name if field.required else f"{field.name}?" for field in msgspec.structs.fields(particulars))
    return Action(
        name=name,
        about=about,
        target=target,
        takes=takes,
        check=read,
        apply=lambda state, key, values: act(state, key, read(values)),
    )


def on_user(act: Callable[[TenantState, int, _Particulars], None]) -> Callable[[TenantState, str, _Particulars], str]:
    def apply_to(state: TenantState, key: str, given: _Particulars) -> str:
        number = user_of(state, key)
        act(state, number, given)
        return state.tenant.user_id(number)

    return apply_to


def on_group(act: Callable[[TenantState, int, _Particulars], None]) -> Callable[[TenantState, str, _Particulars], str]:
    def apply_to(state: TenantState, key: str, given: _Particulars) -> str:
        number = group_of(state, key)
        act(state, number, given)
        return state.tenant.group_id(number)

    return apply_to


def on_policy(
    act: Callable[[TenantState, str, _Particulars], None],
) -> Callable[[TenantState, str, _Particulars], str]:
    def apply_to(state: TenantState, key: str, given: _Particulars) -> str:
        found = policy_of(state, key)
        act(state, found, given)
        return found

    return apply_to


def on_tenant(act: Callable[[TenantState, _Particulars], None]) -> Callable[[TenantState, str, _Particulars], str]:
    def apply_to(state: TenantState, _key: str, given: _Particulars) -> str:
        act(state, given)
        return ""

    return apply_to
