"""Captured pages of a HaloPSA in the domain's terms. Pure; the order of the pages does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from pipeline.domain.capture import Changes, Edge, Edges, Entities, Page, Resource
from pipeline.domain.entities import Entity, EntityType, RelationshipType
from pipeline.domain.psa import Company, Contract, Site
from pipeline.errors import ProviderRejectedError
from pipeline.providers.halopsa import payloads

P = TypeVar("P")

CLIENTS = msgspec.json.Decoder(payloads.ListPage[payloads.Client])
SITES = msgspec.json.Decoder(payloads.ListPage[payloads.Site])
CONTRACTS = msgspec.json.Decoder(payloads.ListPage[payloads.Contract])

NO_DATE_BEFORE = 1901
"""HaloPSA writes a date that was never set as one of 1899 or 1900."""


def entities(pages: Iterable[Page]) -> Entities:
    """Companies, sites and contracts by id, in the order of their ids."""
    kept = tuple(pages)
    return {
        EntityType.COMPANIES: _by_id(_company, _read(kept, Resource.CLIENTS, CLIENTS)),
        EntityType.SITES: _by_id(_site, _read(kept, Resource.SITES, SITES)),
        EntityType.CONTRACTS: _by_id(_contract, _read(kept, Resource.CONTRACTS, CONTRACTS)),
    }


def edges(pages: Iterable[Page]) -> Edges:
    """Sites of companies, and contracts of sites; a contract that names no site is the company's."""
    found = entities(pages)
    sites = (one for one in found[EntityType.SITES].values() if isinstance(one, Site))
    contracts = (one for one in found[EntityType.CONTRACTS].values() if isinstance(one, Contract))
    return {
        RelationshipType.SITE_OF: tuple(
            Edge(
                type=RelationshipType.SITE_OF,
                parent_type=EntityType.COMPANIES,
                parent_id=site.company_id,
                child_type=EntityType.SITES,
                child_id=site.id,
            )
            for site in sites
            if site.company_id
        ),
        RelationshipType.CONTRACT_OF: tuple(
            _contract_edge(contract) for contract in contracts if contract.site_id or contract.company_id
        ),
    }


def changes(_pages: Iterable[Page]) -> Changes:
    """Nothing: every list is read whole."""
    return Changes()


def _contract_edge(contract: Contract) -> Edge:
    return Edge(
        type=RelationshipType.CONTRACT_OF,
        parent_type=EntityType.SITES if contract.site_id else EntityType.COMPANIES,
        parent_id=contract.site_id or contract.company_id,
        child_type=EntityType.CONTRACTS,
        child_id=contract.id,
    )


def _read(
    pages: Iterable[Page], resource: Resource, decoder: msgspec.json.Decoder[payloads.ListPage[P]]
) -> Iterable[P]:
    for page in pages:
        if page.resource is resource:
            try:
                yield from decoder.decode(page.body).value
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise malformed(resource, error) from error


def malformed(resource: Resource, error: Exception) -> ProviderRejectedError:
    """The error for an answer that is not of HaloPSA's shape; names the place, never a value."""
    reason = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
    return ProviderRejectedError(
        f"HaloPSA's answer for {resource.value} is not of the documented shape: {reason}",
        code="malformedPayload",
        status=200,
    )


def _by_id(make: Callable[[P], Entity], payloads_read: Iterable[P]) -> dict[str, Entity]:
    """In the order of the ids; of unequal twins, which paging may bring, the greater one stays."""
    found: dict[str, Entity] = {}
    for value in map(make, payloads_read):
        twin = found.setdefault(value.id, value)
        found[value.id] = max(twin, value, key=repr)
    return dict(sorted(found.items()))


def _company(client: payloads.Client) -> Company:
    connected = client.azure_tenants or []
    ids = (client.azure_tenant_id, *(one.azure_tenant_id for one in connected))
    domains = (client.domain, *(one.azure_tenant_domain for one in connected))
    return Company(
        id=str(client.id),
        display_name=_storable(client.name),
        domains=_domains(*domains),
        microsoft_tenant_ids=_lowered(ids),
        active=client.inactive is not True,
    )


def _site(site: payloads.Site) -> Site:
    return Site(
        id=str(site.id),
        display_name=_storable(site.name),
        company_id=_reference(site.client_id),
        domains=_domains(site.emaildomain),
        active=site.inactive is not True,
    )


def _contract(contract: payloads.Contract) -> Contract:
    active = contract.active if contract.expired is not True else False
    return Contract(
        id=str(contract.id),
        display_name=_storable(contract.ref),
        company_id=_reference(contract.client_id),
        site_id=_reference(contract.site_id),
        contract_type=_storable(contract.contracttype_name),
        starts_at=_moment(contract.start_date),
        ends_at=_moment(contract.end_date),
        active=active,
    )


def _reference(number: int | None) -> str:
    """An id of another record; HaloPSA writes 0 and below for none."""
    return str(number) if number is not None and number > 0 else ""


def _storable(text: str | None) -> str:
    """Without NUL characters, which PostgreSQL stores none of."""
    return (text or "").replace("\x00", "").strip()


def _lowered(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({text.lower() for value in values if (text := _storable(value))}))


def _domains(*fields: str | None) -> tuple[str, ...]:
    """Domains out of what people type into such fields: several with commas, an ``@`` before, a whole address."""
    parts = (part for value in fields for part in _storable(value).replace(";", ",").split(","))
    return _lowered(_domain(part.strip()) for part in parts)


def _domain(text: str) -> str:
    try:
        host = urlsplit(text if "//" in text else f"//{text.rpartition('@')[2]}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.").rstrip(".")


def _moment(text: str | None) -> datetime | None:
    """UTC; HaloPSA writes times without an offset."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware if aware.year >= NO_DATE_BEFORE else None
