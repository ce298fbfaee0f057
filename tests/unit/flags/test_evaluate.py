"""The value of a flag for a tenant: the order of what decides, and buckets that hold still."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.flags import NEEDS_NEW_PIPELINE, Flag, FlagState, FlagValue, Reason
from pipeline.flags.evaluate import BUCKETS, bucket, decide, evaluate

TENANT = 42
FLAG = Flag.UNIFIED_ANALYZER
PLACE = bucket(FLAG.value, str(TENANT)) / 100


def expected(*, killed: bool, override: bool | None, inside: bool | None, enabled: bool) -> FlagValue:
    """The documented order, spelled out."""
    if killed:
        return FlagValue(value=False, reason=Reason.DISABLED)
    if override is not None:
        return FlagValue(value=override, reason=Reason.TARGETING_MATCH)
    if inside is not None:
        return FlagValue(value=inside, reason=Reason.SPLIT)
    return FlagValue(value=enabled, reason=Reason.STATIC)


@pytest.mark.parametrize(
    ("killed", "override", "inside", "enabled"),
    list(itertools.product([False, True], [None, False, True], [None, False, True], [False, True])),
)
def test_a_kill_beats_an_override_beats_the_percentage_beats_the_global_value(
    *, killed: bool, override: bool | None, inside: bool | None, enabled: bool
) -> None:
    state = FlagState(
        enabled=enabled,
        killed=killed,
        rollout=None if inside is None else PLACE + (0.01 if inside else 0.0),
        overrides={} if override is None else {TENANT: override},
    )

    assert evaluate(FLAG, state, TENANT) == expected(killed=killed, override=override, inside=inside, enabled=enabled)


def test_another_tenants_override_means_nothing() -> None:
    state = FlagState(overrides={TENANT + 1: True})

    assert evaluate(FLAG, state, TENANT) == FlagValue(value=False, reason=Reason.STATIC)


def murmur3(data: bytes) -> int:
    """MurmurHash3 x86 32 bit, seed 0, from its author's description (Austin Appleby, SMHasher)."""

    def scrambled(word: int) -> int:
        word = word * 0xCC9E2D51 & 0xFFFFFFFF
        word = (word << 15 | word >> 17) & 0xFFFFFFFF
        return word * 0x1B873593 & 0xFFFFFFFF

    found = 0
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        found ^= scrambled(word)
        found = (found << 13 | found >> 19) & 0xFFFFFFFF
        found = (found * 5 + 0xE6546B64) & 0xFFFFFFFF
    if rest := data[whole:]:
        found ^= scrambled(int.from_bytes(rest, "little"))
    found ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        found = (found ^ found >> shift) * factor & 0xFFFFFFFF
    return found


GOLDEN = {
    ("new_pipeline", "1"): 9011,
    ("new_pipeline", "2"): 6852,
    ("new_pipeline", "10000"): 6910,
    ("unified_analyzer", "1"): 608,
    ("", ""): 1685,
    ("new_pipeline", "mandant-ü"): 5696,
}
"""Computed once; a tenant that moves when the code changes is a broken promise."""


def test_the_hash_is_the_published_one() -> None:
    known = {b"": 0, b"test": 0xBA6BD213, b"Hello, world!": 0xC0363E43}

    assert {data: murmur3(data) for data in known} == known


@pytest.mark.parametrize(("salt", "tenant"), list(GOLDEN))
def test_a_tenant_has_the_bucket_it_always_had(salt: str, tenant: str) -> None:
    assert bucket(salt, tenant) == GOLDEN[salt, tenant]


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_bucket_is_the_hash_scaled_to_hundredths_of_a_percent(salt: str, tenant: str) -> None:
    assert bucket(salt, tenant) == murmur3(f"{salt}:{tenant}".encode()) * BUCKETS >> 32


percentages = st.floats(min_value=0, max_value=100)


@given(st.integers(min_value=1), percentages, percentages)
def test_raising_a_percentage_never_drops_a_tenant(tenant: int, one: float, other: float) -> None:
    low, high = sorted((one, other))

    inside = [evaluate(FLAG, FlagState(rollout=rollout), tenant).value for rollout in (low, high)]

    assert inside != [True, False]


@given(st.integers(min_value=1))
def test_0_percent_is_nobody_and_100_percent_is_everybody(tenant: int) -> None:
    for flag in Flag:
        assert not evaluate(flag, FlagState(enabled=True, rollout=0), tenant).value
        assert evaluate(flag, FlagState(enabled=False, rollout=100), tenant).value


@pytest.mark.parametrize("rollout", [1, 5, 25, 50])
def test_a_percentage_takes_about_that_share_of_the_tenants(rollout: float) -> None:
    tenants = 20_000
    inside = sum(evaluate(FLAG, FlagState(rollout=rollout), tenant).value for tenant in range(tenants))

    share = rollout / 100
    five_sigma = 5 * (share * (1 - share) / tenants) ** 0.5
    assert abs(inside / tenants - share) < five_sigma


def test_flags_take_different_tenants_at_the_same_percentage() -> None:
    half = FlagState(rollout=50)
    both = sum(
        evaluate(Flag.NEW_PIPELINE, half, tenant).value and evaluate(Flag.COMPARISON_MODE, half, tenant).value
        for tenant in range(10_000)
    )

    assert 2300 < both < 2700


def test_the_parts_of_the_new_branch_are_off_where_it_is_off_whatever_their_own_state() -> None:
    snapshot = {flag: FlagState(enabled=True, overrides={TENANT: True}) for flag in Flag}
    snapshot[Flag.NEW_PIPELINE] = FlagState(killed=True)

    decision = decide(snapshot, TENANT)

    off = FlagValue(value=False, reason=Reason.DISABLED)
    assert {flag: decision[flag] for flag in NEEDS_NEW_PIPELINE} == dict.fromkeys(NEEDS_NEW_PIPELINE, off)
    assert frozenset({Flag.UNIFIED_ANALYZER, Flag.ALERT_MANAGER, Flag.BATCH_LOADING}) == NEEDS_NEW_PIPELINE
    assert decision[Flag.COMPARISON_MODE].value, "a comparison is no part of the new branch"


def test_a_decision_covers_every_flag_and_one_not_configured_is_off() -> None:
    decision = decide({}, TENANT)

    assert set(decision) == set(Flag)
    assert set(decision.values()) == {FlagValue(value=False, reason=Reason.STATIC)}
