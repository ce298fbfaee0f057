"""HaloPSA's records in the domain's terms."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.domain.capture import Page, Resource
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.domain.psa import Company, Contract, Site
from pipeline.errors import ProviderRejectedError
from pipeline.providers.halopsa.normalize import edges, entities

KINDS = {
    Resource.CLIENTS: EntityType.COMPANIES,
    Resource.SITES: EntityType.SITES,
    Resource.CONTRACTS: EntityType.CONTRACTS,
}


def page(resource: Resource, *records: object) -> Page:
    return Page(resource=resource, body=msgspec.json.encode({"value": records}))


def one(resource: Resource, record: dict[str, object]) -> object:
    """What a single record becomes."""
    (found,) = entities([page(resource, record)])[KINDS[resource]].values()
    return found


def test_a_client_is_a_company_with_every_tenant_and_domain_it_is_connected_to() -> None:
    record = {
        "id": 12,
        "name": " Contoso\u0000 Ltd ",
        "inactive": False,
        "azure_tenant_id": "AAAA",
        "domain": "https://www.Contoso.com/about, @contoso.co.uk; info@contoso.org.",
        "azure_tenants": [
            {"azure_tenant_id": "bbbb", "azure_tenant_domain": "contoso.onmicrosoft.com"},
            {"azure_tenant_id": "aaaa"},
            {},
        ],
    }
    assert one(Resource.CLIENTS, record) == Company(
        id="12",
        display_name="Contoso Ltd",
        domains=("contoso.co.uk", "contoso.com", "contoso.onmicrosoft.com", "contoso.org"),
        microsoft_tenant_ids=("aaaa", "bbbb"),
    )


@pytest.mark.parametrize("record", [{"id": 1}, {"id": 1, "name": None, "domain": "", "azure_tenants": None}])
def test_what_a_client_does_not_say_is_empty(record: dict[str, object]) -> None:
    assert one(Resource.CLIENTS, record) == Company(id="1")


def test_inactive_ones_are_told_apart() -> None:
    assert one(Resource.CLIENTS, {"id": 1, "inactive": True}) == Company(id="1", active=False)
    assert one(Resource.SITES, {"id": 1, "inactive": True}) == Site(id="1", active=False)


def test_a_site_belongs_to_its_client() -> None:
    record = {"id": 7, "name": "Main", "client_id": 12, "emaildomain": "contoso.com"}
    assert one(Resource.SITES, record) == Site(id="7", display_name="Main", company_id="12", domains=("contoso.com",))


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("1899-12-30T00:00:00", None),
        ("1900-01-01T00:00:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_date_that_was_never_set_is_none(start: str | None, found: datetime | None) -> None:
    contract = one(Resource.CONTRACTS, {"id": 3, "ref": "C3", "start_date": start, "site_id": 0, "client_id": 12})
    assert contract == Contract(id="3", display_name="C3", company_id="12", starts_at=found)


@pytest.mark.parametrize(
    ("record", "active"),
    [({"active": True}, True), ({"active": True, "expired": True}, False), ({"active": False}, False), ({}, None)],
)
def test_a_contract_that_has_expired_is_not_active(record: dict[str, object], *, active: bool | None) -> None:
    contract = one(Resource.CONTRACTS, {"id": 3, **record})
    assert isinstance(contract, Contract)
    assert contract.active is active


def test_a_contract_is_the_sites_or_else_the_companys_or_nobodys() -> None:
    records = [{"id": 1, "client_id": 12, "site_id": 7}, {"id": 2, "client_id": 12, "site_id": -1}, {"id": 3}]
    found = edges([page(Resource.CONTRACTS, *records)])[RelationshipType.CONTRACT_OF]
    assert [(edge.parent_type, edge.parent_id, edge.child_id) for edge in found] == [
        (EntityType.SITES, "7", "1"),
        (EntityType.COMPANIES, "12", "2"),
    ]


def test_a_record_told_twice_is_one_whatever_the_order() -> None:
    before, after = ({"id": 1, "name": name} for name in ("Contoso", "Contoso Ltd"))
    found = [entities([page(Resource.CLIENTS, *two)]) for two in ((before, after), (after, before))]
    assert found[0] == found[1]


@pytest.mark.parametrize("body", [b"", b"{", b'{"value": [{"name": "Contoso"}]}', b'{"value": [{"id": "x"}]}'])
def test_what_is_not_of_the_documented_shape_is_refused_without_its_values(body: bytes) -> None:
    with pytest.raises(ProviderRejectedError, match="answer for clients is not of the documented shape") as caught:
        entities([Page(resource=Resource.CLIENTS, body=body)])
    assert "Contoso" not in str(caught.value)
