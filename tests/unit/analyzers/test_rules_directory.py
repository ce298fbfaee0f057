"""Credentials of applications that end, and directories that are synchronized no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.domain.capture import Resource
from pipeline.domain.entities import AppCredential, Application, CredentialKind, EntityType, Organization
from pipeline.domain.findings import THE_TENANT, AlertType, AnalysisType, Severity
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers.build import NOW, ago, tenant
from tests.unit.analyzers.judging import analyzed, found, judged, single, untold, with_threshold

CREDENTIAL, SYNC = AlertType.APP_CREDENTIAL_EXPIRING, AlertType.SYNC_STALLED

# credentials


def credential(
    days: float | None, key: str = "key", *, kind: CredentialKind = CredentialKind.PASSWORD, name: str = ""
) -> AppCredential:
    """One that ends in so many days, ``None`` for one without an end."""
    ends = None if days is None else NOW + timedelta(days=days)
    return AppCredential(kind=kind, key_id=key, display_name=name, ends_at=ends)


def registered(*credentials: AppCredential) -> TenantGraph:
    return tenant(applications=(Application(id="app", app_id="client", display_name="ERP", credentials=credentials),))


@pytest.mark.parametrize("kind", CredentialKind)
@pytest.mark.parametrize(
    ("days", "reasons"),
    [
        (30.001, []),
        (30, [("expiring",)]),
        (0.001, [("expiring",)]),
        (0, [("expired",)]),
        (-30, [("expired",)]),
        (-30.001, []),
        (None, []),
    ],
)
def test_a_credential_is_told_thirty_days_before_and_after_its_end(
    days: float | None, reasons: list[tuple[str, ...]], kind: CredentialKind
) -> None:
    graph = registered(credential(days, kind=kind))

    assert [one.reasons for one in judged(CREDENTIAL, graph).findings] == reasons
    assert found(CREDENTIAL, graph) == [("app", "key", Severity.MEDIUM) for _ in reasons]


@pytest.mark.parametrize(("threshold", "told"), [(59, False), (60, True)])
def test_how_early_a_credential_is_told_is_the_tenants(threshold: int, *, told: bool) -> None:
    graph = registered(credential(60))

    assert bool(found(CREDENTIAL, graph, state=with_threshold(CREDENTIAL, threshold))) is told


@pytest.mark.parametrize(
    ("other", "renewed"),
    [
        (credential(31, "new"), True),
        (credential(None, "new"), True),
        (credential(30, "new"), False),
        (credential(-5, "new"), False),
        (credential(31, "new", kind=CredentialKind.CERTIFICATE), False),
    ],
)
def test_a_credential_is_renewed_by_a_later_one_of_its_kind(other: AppCredential, *, renewed: bool) -> None:
    assert (("app", "key", Severity.MEDIUM) not in found(CREDENTIAL, registered(credential(10), other))) is renewed


def test_a_credential_of_another_application_renews_nothing() -> None:
    apps = (Application(id="a", credentials=(credential(10),)), Application(id="b", credentials=(credential(400),)))

    assert [key for key, _, _ in found(CREDENTIAL, tenant(applications=apps))] == ["a"]


def test_each_credential_is_one_alert_of_its_application() -> None:
    graph = registered(credential(10, "one"), credential(-10, "two"), credential(10, "", name="a"), credential(9, ""))

    assert [subject for _, subject, _ in found(CREDENTIAL, graph)] == ["", "one", "two"]
    assert judged(CREDENTIAL, graph).rules[0].items == 4


def test_a_credential_that_ends_says_what_stops_and_when() -> None:
    secret = single(CREDENTIAL, registered(credential(19, name="backup")))
    certificate = single(CREDENTIAL, registered(credential(-1, kind=CredentialKind.CERTIFICATE)))

    assert secret.entity_type is EntityType.APPLICATIONS
    assert secret.message == (
        'The secret "backup" of the application ERP ends on 2025-06-20 and there is no newer one: whatever signs in '
        "with it will stop then."
    )
    assert secret.evidence == {"app_id": "client", "kind": "password"}
    assert certificate.message == (
        "The certificate of the application ERP ended on 2025-05-31 and there is no newer one: whatever signs in with "
        "it has stopped."
    )


@pytest.mark.parametrize(("app", "name"), [(Application(id="a"), "a"), (Application(id="a", app_id="c"), "c")])
def test_an_application_without_a_name_is_called_by_its_id(app: Application, name: str) -> None:
    graph = tenant(applications=(replace(app, credentials=(credential(10),)),))

    assert f"the application {name} ends" in single(CREDENTIAL, graph).message


def test_a_credential_reads_the_same_every_day_until_it_has_ended() -> None:
    graph = registered(credential(10))

    first, later, ended = (single(CREDENTIAL, graph, NOW + timedelta(days=day)) for day in (-9, 9, 11))

    assert first == later
    assert later.evidence == ended.evidence
    assert later.evidence_hash != ended.evidence_hash


def test_credentials_are_told_only_where_applications_were_read() -> None:
    graph = registered(credential(10))
    unread = replace(graph, inputs=tenant(unread={Resource.APPLICATIONS: "no consent"}).inputs)

    assert found(CREDENTIAL, unread) == []
    assert untold(CREDENTIAL, unread) == [("", "applications could not be read: no consent")]


# synchronization

SYNCED = Organization(id="org", display_name="Contoso", on_premises_sync_enabled=True, on_premises_last_sync_at=ago(4))
HOUR = 1 / 24


def synced(hours: float) -> TenantGraph:
    return tenant(organization=replace(SYNCED, on_premises_last_sync_at=ago(hours * HOUR)))


@pytest.mark.parametrize(("hours", "stalled"), [(1, False), (72, False), (72.01, True), (500, True)])
def test_synchronization_is_stalled_after_72_hours(hours: float, *, stalled: bool) -> None:
    assert found(SYNC, synced(hours)) == ([(THE_TENANT, "", Severity.HIGH)] if stalled else [])


@pytest.mark.parametrize(("threshold", "stalled"), [(5, False), (4, True)])
def test_after_how_many_hours_synchronization_is_stalled_is_the_tenants(threshold: int, *, stalled: bool) -> None:
    assert bool(found(SYNC, synced(5), state=with_threshold(SYNC, threshold))) is stalled


def test_a_directory_that_is_not_synchronized_is_never_stalled() -> None:
    graph = tenant(organization=replace(SYNCED, on_premises_sync_enabled=False))

    assert (found(SYNC, graph), untold(SYNC, graph)) == ([], [])


def test_a_directory_that_may_be_synchronized_or_not_cannot_be_told() -> None:
    graph = tenant(organization=replace(SYNCED, on_premises_sync_enabled=None))

    assert untold(SYNC, graph) == [("", "whether the directory is synchronized was not read")]


@pytest.mark.parametrize(
    ("organization", "reason"),
    [
        (None, "the tenant's organization was not among what was read"),
        (replace(SYNCED, on_premises_last_sync_at=None), "when the directory was last synchronized was not read"),
    ],
)
def test_without_the_last_synchronization_nothing_can_be_told(organization: Organization | None, reason: str) -> None:
    graph = tenant(organization=organization)
    result = analyzed(AnalysisType.DIRECTORY_SYNC, graph)

    assert (found(SYNC, graph), untold(SYNC, graph)) == ([], [("", reason)])
    assert (result.evaluated, result.completed) == (frozenset(), frozenset())
    assert [one.skipped for one in result.rules] == [reason]


def test_an_organization_that_could_not_be_read_is_never_stalled() -> None:
    graph = tenant(organization=SYNCED, unread={Resource.ORGANIZATION: "no consent"})

    assert (found(SYNC, graph), untold(SYNC, graph)) == ([], [("", "organization could not be read: no consent")])


def test_a_stalled_synchronization_says_since_when() -> None:
    finding = single(SYNC, tenant(organization=SYNCED))

    assert finding.entity_type is EntityType.TENANTS
    assert finding.message == (
        "The directory of Contoso was last synchronized from on premises on 2025-05-28 at 12:00 UTC, more than 72 "
        "hours ago: later changes there have not arrived."
    )
    assert finding.evidence == {"organization_id": "org"}


def test_a_stalled_synchronization_reads_the_same_every_day() -> None:
    graph = tenant(organization=SYNCED)

    assert single(SYNC, graph) == single(SYNC, graph, NOW + timedelta(days=30))
