"""The tenant that is measured: a generated one, as the pages its reading gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from graphsim.directory.tenants import generate
from graphsim.pages import capture_pages
from pipeline.domain.capture import COMPLETE, Page, ReadOutcome, Resource

POSTURE = 4
"""The simulator's fifth kind of tenant: the most policies, and every type of alert an analysis can raise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantPages:
    pages: tuple[Page, ...]
    outcomes: dict[Resource, ReadOutcome]


def tenant_pages(users: int, now: datetime) -> TenantPages:
    """Everything a sync reads of a tenant of that size, read to its end."""
    tenant = generate(seed="benchmark", index=POSTURE, size=users, now=now)
    pages = tuple(
        Page(resource=Resource(resource), parent_id=parent, body=body)
        for resource, parent, body in capture_pages(tenant)
    )
    return TenantPages(pages=pages, outcomes=dict.fromkeys(Resource, COMPLETE))
