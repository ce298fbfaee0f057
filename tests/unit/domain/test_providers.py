"""What each provider is read for."""

from __future__ import annotations

from pipeline import events
from pipeline.domain.capture import Resource, SyncType
from pipeline.domain.providers import PROVIDER_OF, SYNC_TYPES, Provider, known_provider, resources_of


def test_every_sync_type_and_every_list_belongs_to_one_provider() -> None:
    assert set(SYNC_TYPES) == set(Provider)
    assert sorted(kind for kinds in SYNC_TYPES.values() for kind in kinds) == sorted(SyncType)
    assert sorted(one for provider in Provider for one in resources_of(provider)) == sorted(Resource)
    assert set(PROVIDER_OF) == set(SyncType)


def test_a_provider_is_known_by_its_name() -> None:
    assert [known_provider(one.value) for one in Provider] == list(Provider)
    assert known_provider("okta") is None


def test_a_sync_is_asked_for_on_a_subject_of_its_provider_that_the_stream_takes() -> None:
    subjects = {events.sync_requested(kind, {}).subject for kind in SyncType}
    taken = tuple(pattern.removesuffix("*") for pattern in events.SUBJECTS)
    assert all(subject.startswith(taken) for subject in subjects)
    assert {"microsoft-365.sync.identities", "halopsa.sync.companies"} <= subjects
