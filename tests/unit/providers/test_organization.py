"""The organization, subscriptions and applications: from Graph's payloads to the domain's values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.domain.capture import Page, Resource
from pipeline.domain.entities import (
    AppCredential,
    Application,
    CredentialKind,
    Entity,
    EntityType,
    Organization,
    Subscription,
)
from pipeline.errors import ProviderRejectedError
from pipeline.providers.microsoft365 import normalize

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ENDS = {"endDateTime": "2026-01-02T12:00:00Z"}


def of(resource: Resource, value: dict[str, Any], kind: EntityType) -> Entity:
    page = Page(resource=resource, body=json.dumps({"value": [value]}).encode())
    (entity,) = normalize.entities([page])[kind].values()
    return entity


ORGANIZATIONS = [
    ({"id": "o"}, Organization(id="o")),
    ({"id": "o", "onPremisesSyncEnabled": None}, Organization(id="o", on_premises_sync_enabled=False)),
    (
        {
            "id": "o",
            "displayName": "Contoso",
            "verifiedDomains": [{"name": "b.example", "isDefault": True}, {"name": "a.example"}],
            "onPremisesSyncEnabled": True,
            "onPremisesLastSyncDateTime": "2026-01-02T12:00:00Z",
            "createdDateTime": "2026-01-02T14:00:00+02:00",
        },
        Organization(
            id="o",
            display_name="Contoso",
            verified_domains=("a.example", "b.example"),
            on_premises_sync_enabled=True,
            on_premises_last_sync_at=NOON,
            created_at=NOON,
        ),
    ),
]


@pytest.mark.parametrize(("payload", "expected"), ORGANIZATIONS)
def test_an_organization_keeps_its_domains_and_synchronization(payload: dict[str, Any], expected: Organization) -> None:
    assert of(Resource.ORGANIZATION, payload, EntityType.ORGANIZATION) == expected


SUBSCRIPTIONS = [
    ({"id": "s"}, Subscription(id="s")),
    (
        {
            "id": "s",
            "skuId": "k",
            "skuPartNumber": "SPE_E3",
            "status": "Warning",
            "totalLicenses": 25,
            "nextLifecycleDateTime": "2026-01-02T12:00:00Z",
            "isTrial": True,
        },
        Subscription(
            id="s",
            sku_id="k",
            part_number="SPE_E3",
            status="Warning",
            total_licenses=25,
            next_lifecycle_at=NOON,
            trial=True,
        ),
    ),
]


@pytest.mark.parametrize(("payload", "expected"), SUBSCRIPTIONS)
def test_a_subscription_keeps_its_seats_and_its_next_date(payload: dict[str, Any], expected: Subscription) -> None:
    assert of(Resource.DIRECTORY_SUBSCRIPTIONS, payload, EntityType.SUBSCRIPTIONS) == expected


def credential(kind: CredentialKind, key: str, ends_at: datetime | None = None) -> AppCredential:
    return AppCredential(kind=kind, key_id=key, ends_at=ends_at)


APPLICATIONS = [
    ({"id": "a"}, Application(id="a")),
    ({"id": "a", "passwordCredentials": None, "keyCredentials": []}, Application(id="a")),
    (
        {
            "id": "a",
            "appId": "client",
            "displayName": "Backup",
            "passwordCredentials": [{"keyId": "3"} | ENDS, {"keyId": "1", "secretText": None, "hint": "abc"}],
            "keyCredentials": [{"keyId": "2", "type": "AsymmetricX509Cert", "key": "AA=="} | ENDS],
        },
        Application(
            id="a",
            app_id="client",
            display_name="Backup",
            credentials=(
                credential(CredentialKind.PASSWORD, "1"),
                credential(CredentialKind.CERTIFICATE, "2", NOON),
                credential(CredentialKind.PASSWORD, "3", NOON),
            ),
        ),
    ),
]


@pytest.mark.parametrize(("payload", "expected"), APPLICATIONS)
def test_an_application_keeps_what_it_proves_itself_with(payload: dict[str, Any], expected: Application) -> None:
    assert of(Resource.APPLICATIONS, payload, EntityType.APPLICATIONS) == expected


def test_the_order_of_credentials_is_no_change() -> None:
    one, other = ({"keyId": key} for key in "ab")
    straight, turned = (
        of(Resource.APPLICATIONS, {"id": "a", "passwordCredentials": found}, EntityType.APPLICATIONS)
        for found in ([one, other], [other, one])
    )

    assert straight == turned


def test_a_page_of_another_shape_names_the_list() -> None:
    with pytest.raises(ProviderRejectedError, match="directorySubscriptions"):
        of(Resource.DIRECTORY_SUBSCRIPTIONS, {"id": "s", "totalLicenses": "many"}, EntityType.SUBSCRIPTIONS)
