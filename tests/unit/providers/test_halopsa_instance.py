"""What names a HaloPSA: its address, and nothing that leads anywhere else."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.providers.halopsa.instance import Instance, instance


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://psa.contoso.com/", Instance(root="https://psa.contoso.com")),
        ("https://contoso.halopsa.com?tenant=contoso", Instance(root="https://contoso.halopsa.com", tenant="contoso")),
        ("https://[::1]:8443", Instance(root="https://[::1]:8443")),
        *((text, None) for text in ("http://psa.contoso.com", "psa.contoso.com", "https://", "https://a:b@c", "x://[")),
        *((text, None) for text in ("https://psa.contoso.com/api", "https://psa.contoso.com:none", "https://c#d", "")),
    ],
)
def test_an_address_is_a_host_and_nothing_that_leads_elsewhere(address: str, found: Instance | None) -> None:
    try:
        assert instance(address) == found
    except PipelineError:
        assert found is None
