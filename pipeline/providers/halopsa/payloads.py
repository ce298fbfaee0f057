"""HaloPSA's answers as far as they are read. Names are HaloPSA's: every instance describes them at ``/apidoc``."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

P = TypeVar("P")


class ListPage(msgspec.Struct, Generic[P], kw_only=True):
    """One page as captured."""

    value: list[P]


class AzureTenant(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A Microsoft tenant that HaloPSA's own integration has connected to a client."""

    azure_tenant_id: str | None = None
    azure_tenant_domain: str | None = None


class Client(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: int
    name: str | None = None
    inactive: bool | None = None
    azure_tenant_id: str | None = None
    azure_tenants: list[AzureTenant] | None = None
    domain: str | None = None
    """With the single client only in some versions, so it may be missing from lists."""


class Site(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: int
    name: str | None = None
    client_id: int | None = None
    inactive: bool | None = None
    emaildomain: str | None = None


class Contract(msgspec.Struct, kw_only=True, omit_defaults=True):
    id: int
    ref: str | None = None
    client_id: int | None = None
    site_id: int | None = None
    start_date: str | None = None
    end_date: str | None = None
    contracttype_name: str | None = None
    active: bool | None = None
    expired: bool | None = None


class ClientList(msgspec.Struct, kw_only=True):
    record_count: int
    clients: list[Client]

    @property
    def rows(self) -> list[Client]:
        return self.clients


class SiteList(msgspec.Struct, kw_only=True):
    record_count: int
    sites: list[Site]

    @property
    def rows(self) -> list[Site]:
        return self.sites


class ContractList(msgspec.Struct, kw_only=True):
    record_count: int
    contracts: list[Contract]

    @property
    def rows(self) -> list[Contract]:
        return self.contracts


class TokenAnswer(msgspec.Struct, kw_only=True):
    access_token: str
    expires_in: float = 3600.0


class Refusal(msgspec.Struct, kw_only=True):
    """What the authorisation server says of a request it does not grant (RFC 6749, section 5.2)."""

    error: str = ""
