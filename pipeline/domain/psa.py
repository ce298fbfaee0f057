"""What a professional services automation (PSA) system knows of an MSP's customers, whichever system it is.

Every value is frozen. ``None`` means the fact was not read, never "no".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """A customer. ``domains`` and ``microsoft_tenant_ids`` are in lower case, sorted, as the PSA has them."""

    id: str
    display_name: str = ""
    domains: tuple[str, ...] = ()
    microsoft_tenant_ids: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """A place of a company."""

    id: str
    display_name: str = ""
    company_id: str = ""
    domains: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """What was agreed with a company, for one of its sites where ``site_id`` names one."""

    id: str
    display_name: str = ""
    company_id: str = ""
    site_id: str = ""
    contract_type: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    active: bool | None = None
