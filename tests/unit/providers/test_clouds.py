"""Sovereign clouds: each has its own Graph and its own sign-in, and nobody else is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from pipeline.errors import SettingError
from pipeline.providers.microsoft365.auth import Credentials, TenantTokens, TokenStore
from pipeline.providers.microsoft365.clouds import scope_of

PUBLIC, GOVERNMENT, CHINA = (
    "https://login.microsoftonline.com",
    "https://login.microsoftonline.us",
    "https://login.partner.microsoftonline.cn",
)


@dataclass
class SignIn:
    """A WSGI sign-in that notes every host it is asked as, and the scope of every token."""

    hosts: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.hosts.append(environ["HTTP_HOST"])
        root = f"https://{environ['HTTP_HOST']}/tenant-1/oauth2/v2.0"
        answer: dict[str, object] = {"authorization_endpoint": f"{root}/authorize", "token_endpoint": f"{root}/token"}
        if environ["REQUEST_METHOD"] == "POST":
            form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
            self.scopes += form["scope"]
            answer = {"token_type": "Bearer", "expires_in": 3599, "access_token": "token"}
        start_response("200 OK", [])
        return [json.dumps(answer).encode()]


@pytest.mark.parametrize(
    ("base_url", "authority", "scope"),
    [
        ("https://graph.microsoft.com", PUBLIC, "https://graph.microsoft.com/.default"),
        ("https://graph.microsoft.us", GOVERNMENT, "https://graph.microsoft.us/.default"),
        ("https://dod-graph.microsoft.us/", GOVERNMENT, "https://dod-graph.microsoft.us/.default"),
        ("https://microsoftgraph.chinacloudapi.cn", CHINA, "https://microsoftgraph.chinacloudapi.cn/.default"),
        ("https://localhost:8443", "https://localhost:8443", "https://localhost:8443/.default"),
    ],
    ids=["global", "US Government", "US Government DoD", "China", "simulator"],
)
def test_a_token_is_asked_for_the_clouds_own_graph_of_the_clouds_own_sign_in_alone(
    base_url: str, authority: str, scope: str
) -> None:
    entra = SignIn()
    http = httpx.Client(transport=httpx.WSGITransport(app=entra))
    credentials = Credentials(tenant_id="tenant-1", client_id="app", credential="hidden")
    asked = scope_of(base_url, authority)
    TenantTokens(credentials, authority=authority, scope=asked, store=TokenStore(), http=http).token()
    assert entra.scopes == [scope]
    assert set(entra.hosts) == {httpx.URL(authority).netloc.decode()}


@pytest.mark.parametrize(
    ("base_url", "authority", "advice"),
    [
        ("https://graph.microsoft.us", PUBLIC, "set https://login.microsoftonline.us"),
        ("https://dod-graph.microsoft.us", PUBLIC, "set https://login.microsoftonline.us"),
        ("https://microsoftgraph.chinacloudapi.cn", GOVERNMENT, "set https://login.partner.microsoftonline.cn"),
        ("https://graph.microsoft.com", CHINA, "set https://login.microsoftonline.com"),
        ("https://graph.microsoft.com", "https://localhost:8443", "set https://login.microsoftonline.com"),
        ("https://localhost:8443", GOVERNMENT, "set https://graph.microsoft.us or https://dod-graph.microsoft.us"),
    ],
)
def test_settings_of_two_clouds_are_refused_with_the_one_that_fits(base_url: str, authority: str, advice: str) -> None:
    with pytest.raises(SettingError, match=advice):
        scope_of(base_url, authority)
