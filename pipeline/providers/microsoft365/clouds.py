"""Microsoft's clouds: which sign-in belongs to which Graph.

https://learn.microsoft.com/graph/deployments and
https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pipeline.errors import SettingError

AUTHORITY_OF: Mapping[str, str] = {
    "graph.microsoft.com": "login.microsoftonline.com",
    "graph.microsoft.us": "login.microsoftonline.us",
    "dod-graph.microsoft.us": "login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "login.partner.microsoftonline.cn",
}
"""The global cloud, US Government L4, US Government L5 (DoD), and China as operated by 21Vianet."""


def scope_of(base_url: str, authority: str) -> str:
    """What a token is asked for, so that it opens the Graph of that cloud with every permission consented to.

    Raises ``SettingError`` where one of the two is Microsoft's and the other is not of the same cloud: Microsoft would
    refuse it with a code that does not say so. Other hosts, such as a simulator or a proxy, are the operator's affair.
    """
    graph, sign_in = urlsplit(base_url).hostname or "", urlsplit(authority).hostname or ""
    expected = AUTHORITY_OF.get(graph)
    if expected is None and sign_in in AUTHORITY_OF.values():
        graphs = " or ".join(f"https://{host}" for host, login in AUTHORITY_OF.items() if login == sign_in)
        raise SettingError(f"GRAPH_AUTHORITY is {authority}, whose Graph GRAPH_BASE_URL does not name; set {graphs}.")
    if expected is not None and sign_in != expected:
        raise SettingError(
            f"GRAPH_BASE_URL is {base_url}, whose sign-in GRAPH_AUTHORITY does not name; set https://{expected}."
        )
    return f"{base_url.rstrip('/')}/.default"
