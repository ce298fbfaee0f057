"""A full reading and changes upon it give what a full reading at the end gives, whatever happened in between."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graphsim.directory.roles import role_plans
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.trouble.faults import of_kind
from graphsim.world import membership
from graphsim.world.mutations import Mutation, apply
from graphsim.world.state import TenantState
from graphsim.world.targets import ScenarioError
from pipeline.domain.capture import Page, Resource
from pipeline.domain.entities import Entity, EntityType, Identity
from pipeline.domain.providers import Provider, resources_of
from pipeline.errors import TenantUnreachableError
from pipeline.providers.microsoft365.source import Microsoft365Source
from tests.readings import Store, simulated_source

EVERYTHING = resources_of(Provider.MICROSOFT365)
TRACKED = (Resource.USERS, Resource.GROUPS, Resource.DIRECTORY_ROLES)
CHANGES = {
    *TRACKED,
    Resource.SIGN_IN_ACTIVITY,
    Resource.GROUP_MEMBERS,
    Resource.ROLE_MEMBERS,
}
USERS = 60
TOLD = (
    *("create_user", "disable_user", "enable_user", "delete_user", "restore_user", "purge_user"),
    *("give_license", "take_license"),
    *("create_group", "rename_group", "delete_group", "restore_group", "purge_group", "add_member", "remove_member"),
    *("add_role_member", "remove_role_member", "disable_policy", "buy_seats"),
)
"""What can happen, but for sign-ins and registered methods: no delta query tells of those."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    config = SimulatorConfig(tenants=2, users=USERS, now=datetime(2026, 1, 2, tzinfo=UTC))
    with RunningSimulator(config, tmp_path_factory.mktemp("graphsim")) as running:
        yield running


@pytest.fixture
def state(simulator: RunningSimulator) -> TenantState:
    """A tenant with a premium licence to which nothing happened yet."""
    simulator.simulator.states.clear()
    states = (simulator.simulator.state(index) for index in range(2))
    return next(state for state in states if state.tenant.posture.premium)


@pytest.fixture
def source(simulator: RunningSimulator, state: TenantState) -> Microsoft365Source:
    return simulated_source(simulator, state.tenant.index)


def happen(state: TenantState, chance: random.Random) -> None:
    """Half of what can happen, or more, in any order; what can't be just now is none."""
    for action in chance.sample(TOLD, chance.randrange(len(TOLD) // 2, len(TOLD))):
        with suppress(ScenarioError):
            apply(state, _any(state, chance, action))


def _any(state: TenantState, chance: random.Random, action: str) -> Mutation:
    """The action upon somebody it can happen to."""
    group = chance.choice(list(membership.group_numbers(state)))
    plan = chance.choice(role_plans(state.tenant))
    sku = chance.choice(state.products).id
    user = chance.choice([number for number in range(state.size) if state.exists(number)])
    moves: dict[str, tuple[str | int, dict[str, object]]] = {
        "create_user": ("", {}),
        "restore_user": (_one(chance, state.removed - state.purged), {}),
        "give_license": (user, {"sku": sku}),
        "take_license": (_one(chance, _holders(state, sku)), {"sku": sku}),
        "create_group": ("", {"name": f"Group {chance.random()}"}),
        "rename_group": (group, {"name": f"Group {chance.random()}"}),
        "delete_group": (group, {}),
        "restore_group": (_one(chance, state.removed_groups - state.purged_groups), {}),
        "purge_group": (group, {}),
        "add_member": (group, {"user": user}),
        "remove_member": (group, {"user": _one(chance, membership.user_numbers(state, group))}),
        "add_role_member": (plan.name, {"user": user}),
        "remove_role_member": (plan.name, {"user": _one(chance, membership.role_users(state, plan))}),
        "disable_policy": (str(chance.choice(state.policies())["id"]), {}),
        "buy_seats": (sku, {"seats": 5}),
    }
    key, particulars = moves.get(action, (user, {}))
    return Mutation(action=action, id=key, set=particulars)


def _holders(state: TenantState, sku: str) -> Iterator[int]:
    return (number for number in range(state.size) if state.exists(number) and sku in str(state.user(number)))


def _one(chance: random.Random, numbers: Iterable[int]) -> int:
    return chance.choice(sorted(numbers) or [0])


def told(store: Store) -> Mapping[EntityType, Mapping[str, Entity]]:
    """The entities without what the registration details say, which only a full reading reads again."""
    return {
        kind: {
            key: replace(one, mfa_registered=None, mfa_capable=None) if isinstance(one, Identity) else one
            for key, one in found.items()
        }
        for kind, found in store.entities.items()
    }


def whole(source: Microsoft365Source) -> Store:
    store = Store()
    store.read(source, EVERYTHING)
    return store


@pytest.mark.parametrize(
    ("disorder", "storm"), [(False, False), (True, False), (True, True)], ids=["in order", "disorder", "storm"]
)
@pytest.mark.parametrize("seed", range(3))
def test_changes_upon_a_full_reading_give_the_full_reading_at_the_end(
    state: TenantState, source: Microsoft365Source, seed: int, *, disorder: bool, storm: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance in a test
    state.delta_disorder = disorder
    state.faults += [replace(of_kind(kind), rate=0.05) for kind in ("429", "503", "504", "cut") if storm]
    store = whole(source)
    for round_ in range(3):
        happen(state, chance)
        store.read(source, EVERYTHING, since=store.changes())
        now = whole(source)
        assert told(store) == told(now), f"round {round_}"
        assert store.standing() == now.standing(), f"round {round_}"


def test_nothing_that_happened_is_nothing_to_read(state: TenantState, source: Microsoft365Source) -> None:
    store = whole(source)
    pages = store.read(source, EVERYTHING, since=store.changes())
    assert {page.resource for page in pages}.isdisjoint(CHANGES)
    assert {key for key, outcome in store.outcomes.items() if outcome.changes_only} >= CHANGES - {
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
    }
    assert Resource.REGISTRATION_DETAILS not in store.outcomes
    assert all(store.outcomes[key].token for key in TRACKED)


@pytest.mark.parametrize("form", ["gone", "bad_request", "not_found"])
def test_a_lost_token_is_a_full_reading_with_a_new_token(
    state: TenantState, source: Microsoft365Source, form: str
) -> None:
    store = whole(source)
    apply(state, Mutation(action="delta_refusal", set={"form": form}))
    apply(state, Mutation(action="expire_deltas"))
    apply(state, Mutation(action="delete_user", id=7))
    before = dict(store.tokens)
    store.read(source, EVERYTHING, since=store.changes())
    assert not any(outcome.changes_only for outcome in store.outcomes.values())
    assert all(outcome.complete for outcome in store.outcomes.values())
    assert len(store.entities[EntityType.IDENTITIES]) == USERS - 1
    assert all(store.tokens[key] != before[key] for key in TRACKED)


@pytest.mark.parametrize("token", ["https://elsewhere.test/v1.0/users/delta?$deltatoken=x", "%%%", "x"])
def test_a_token_that_is_none_is_a_full_reading(state: TenantState, source: Microsoft365Source, token: str) -> None:
    store = whole(source)
    store.read(source, EVERYTHING, since=dict.fromkeys(TRACKED, token))
    assert not any(outcome.changes_only for outcome in store.outcomes.values())
    assert told(store) == told(whole(source))


def test_what_changed_while_a_tenant_was_read_in_full_is_told_again(
    state: TenantState, source: Microsoft365Source
) -> None:
    def meanwhile(page: Page) -> None:
        if page.resource is Resource.USERS and not state.removed:
            apply(state, Mutation(action="delete_user", id=7))

    store = Store()
    store.read(source, EVERYTHING, meanwhile=meanwhile)
    assert len(store.entities[EntityType.IDENTITIES]) == USERS
    store.read(source, EVERYTHING, since=store.changes())
    assert told(store) == told(whole(source))


def test_a_round_told_twice_is_harmless(state: TenantState, source: Microsoft365Source) -> None:
    store = whole(source)
    apply(state, Mutation(action="disable_user", id=7))
    apply(state, Mutation(action="disable_user", id=8))
    apply(state, Mutation(action="purge_user", id=8))
    store.read(source, EVERYTHING, since=store.changes())
    apply(state, Mutation(action="enable_user", id=7))
    old = dict(store.tokens)
    store.read(source, EVERYTHING, since=store.changes())
    store.tokens |= old
    store.read(source, EVERYTHING, since=store.changes())
    assert told(store) == told(whole(source))


def test_a_withdrawn_consent_is_the_tenant_refusing_us_and_no_change(
    state: TenantState, source: Microsoft365Source
) -> None:
    store = whole(source)
    apply(state, Mutation(action="revoke_consent"))
    with pytest.raises(TenantUnreachableError):
        store.read(source, EVERYTHING, since=store.changes())


def test_an_outage_changes_nothing_and_keeps_the_tokens(state: TenantState, source: Microsoft365Source) -> None:
    store = whole(source)
    kept = dict(store.tokens)
    apply(state, Mutation(action="delete_user", id=7))
    state.faults.append(replace(of_kind("503"), path_contains="users"))
    assert not any(page.resource is Resource.USERS for page in store.read(source, EVERYTHING, since=store.changes()))
    assert not store.outcomes[Resource.USERS].complete
    assert store.tokens[Resource.USERS] == kept[Resource.USERS]
    state.faults.clear()
    store.read(source, EVERYTHING, since=store.changes())
    assert told(store) == told(whole(source))
