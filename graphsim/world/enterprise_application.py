"""The application as a tenant's Entra knows it: may it sign in, and with which certificates."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509


@dataclass(kw_only=True, slots=True)
class EnterpriseApplication:
    """``tenant_exists`` false makes the whole tenant disappear from Entra."""

    enabled: bool = True
    tenant_exists: bool = True
    certificates: list[x509.Certificate] = field(default_factory=list)
