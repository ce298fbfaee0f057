"""Where a HaloPSA lives: each customer of HaloPSA's has a host of its own, so a data source names it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from pipeline.errors import UserError


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """``root`` is ``https://host`` without a slash at its end; ``tenant`` is empty for an instance of one tenant."""

    root: str
    tenant: str = ""

    @property
    def address(self) -> str:
        """As stored with a data source; ``instance`` reads it back."""
        return f"{self.root}?{urlencode({'tenant': self.tenant})}" if self.tenant else self.root


def instance(address: str) -> Instance:
    """The instance a source's address names: ``https://psa.contoso.com``, or with ``?tenant=contoso`` behind it.

    The address is what HaloPSA shows as resource and authorisation server, without ``/api`` and ``/auth``; the tenant
    is shown beside them where the instance is hosted for several. Raises ``UserError`` for anything else.
    """
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path.strip("/") or parts.fragment:
        raise UserError(
            f"{address!r} is no address of a HaloPSA; use one such as https://psa.contoso.com, without /api or /auth."
        )
    tenant = parse_qs(parts.query).get("tenant", [""])[-1]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Instance(root=f"https://{host}{f':{port}' if port else ''}", tenant=tenant)
