"""The organization, what it subscribes to and the applications registered in it: payloads and the domain's values.

Payloads as in ``payloads``: absent and null properties are ``None``, but for ``UNSET`` where null has a meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from pipeline.domain.entities import AppCredential, Application, CredentialKind, Organization, Subscription
from pipeline.providers.microsoft365.moments import in_utc
from pipeline.providers.microsoft365.payloads import ListPage, Payload


class CompanySubscription(Payload):
    """https://learn.microsoft.com/graph/api/resources/companysubscription"""

    id: str
    sku_id: str | None = None
    sku_part_number: str | None = None
    status: str | None = None
    total_licenses: int | None = None
    next_lifecycle_date_time: datetime | None = None
    is_trial: bool | None = None


class Credential(Payload):
    """What https://learn.microsoft.com/graph/api/resources/passwordcredential and ``keycredential`` have in common."""

    key_id: str | None = None
    display_name: str | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None


class RegisteredApplication(Payload):
    """https://learn.microsoft.com/graph/api/resources/application"""

    id: str
    app_id: str | None = None
    display_name: str | None = None
    password_credentials: tuple[Credential, ...] | None = None
    key_credentials: tuple[Credential, ...] | None = None


class VerifiedDomain(Payload):
    name: str


class TenantOrganization(Payload):
    """https://learn.microsoft.com/graph/api/resources/organization"""

    id: str
    display_name: str | None = None
    verified_domains: tuple[VerifiedDomain, ...] | None = None
    on_premises_sync_enabled: bool | UnsetType | None = UNSET
    """Null says "never synchronized"."""
    on_premises_last_sync_date_time: datetime | None = None
    created_date_time: datetime | None = None


SUBSCRIPTIONS = msgspec.json.Decoder(ListPage[CompanySubscription])
APPLICATIONS = msgspec.json.Decoder(ListPage[RegisteredApplication])
ORGANIZATIONS = msgspec.json.Decoder(ListPage[TenantOrganization])


def subscription(payload: CompanySubscription) -> Subscription:
    return Subscription(
        id=payload.id,
        sku_id=payload.sku_id or "",
        part_number=payload.sku_part_number or "",
        status=payload.status or "Enabled",
        total_licenses=payload.total_licenses or 0,
        next_lifecycle_at=in_utc(payload.next_lifecycle_date_time),
        trial=payload.is_trial is True,
    )


def application(payload: RegisteredApplication) -> Application:
    return Application(
        id=payload.id,
        app_id=payload.app_id or "",
        display_name=payload.display_name or "",
        credentials=tuple(sorted(_credentials(payload), key=lambda one: (one.key_id, one.kind))),
    )


def _credentials(payload: RegisteredApplication) -> Iterator[AppCredential]:
    """Graph promises no order of them."""
    kinds = (
        (CredentialKind.PASSWORD, payload.password_credentials),
        (CredentialKind.CERTIFICATE, payload.key_credentials),
    )
    for kind, found in kinds:
        for credential in found or ():
            yield AppCredential(
                kind=kind,
                key_id=credential.key_id or "",
                display_name=credential.display_name or "",
                starts_at=in_utc(credential.start_date_time),
                ends_at=in_utc(credential.end_date_time),
            )


def organization(payload: TenantOrganization) -> Organization:
    synced = payload.on_premises_sync_enabled
    return Organization(
        id=payload.id,
        display_name=payload.display_name or "",
        verified_domains=tuple(sorted({domain.name for domain in payload.verified_domains or ()})),
        on_premises_sync_enabled=None if synced is UNSET else bool(synced),
        on_premises_last_sync_at=in_utc(payload.on_premises_last_sync_date_time),
        created_at=in_utc(payload.created_date_time),
    )
