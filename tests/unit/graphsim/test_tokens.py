"""Tokens open their own tenant, for their time, and can't be forged."""

from __future__ import annotations

import base64

import pytest

from graphsim.protocol.errors import GraphError
from graphsim.sign_in import tokens
from graphsim.sign_in.entra import TokenRequest, grant
from graphsim.sign_in.oauth_errors import TokenError
from graphsim.world.enterprise_application import EnterpriseApplication
from tests.unit.graphsim.conftest import MakeWorld

SCOPE = "https://graph.microsoft.com/.default"
AT = 1_800_000_000.0


def test_a_token_names_its_tenant_until_it_expires(make_world: MakeWorld) -> None:
    tenant = make_world().state.tenant
    token = tokens.issue("tests", tenant, at=AT, lifetime=60)

    claims = tokens.read("tests", f"Bearer {token}", at=AT + 59)

    assert (claims.tid, claims.appid, claims.exp) == (tenant.id, tenant.client_id, int(AT) + 60)
    with pytest.raises(GraphError, match="expired"):
        tokens.read("tests", f"Bearer {token}", at=AT + 60)


def test_missing_forged_and_foreign_tokens_are_invalid(make_world: MakeWorld) -> None:
    token = tokens.issue("tests", make_world().state.tenant, at=AT, lifetime=60)
    head, payload, signature = token.split(".")
    forged = base64.urlsafe_b64encode(base64.urlsafe_b64decode(payload + "==").replace(b'"ver"', b'"vex"')).decode()
    wrong = ["", "Bearer", "Bearer ", f"Basic {token}", "Bearer nonsense", f"Bearer {head}.{forged}.{signature}"]

    for authorization in wrong:
        with pytest.raises(GraphError) as refused:
            tokens.read("tests", authorization, at=AT)
        assert (refused.value.status, refused.value.code) == (401, "InvalidAuthenticationToken")
    with pytest.raises(GraphError):
        tokens.read("another seed", f"Bearer {token}", at=AT)


@pytest.mark.parametrize(
    ("change", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000216),
        ({"client_id": "wrong"}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
    ],
)
def test_a_wrong_request_for_a_token_is_refused_as_entra_does(
    make_world: MakeWorld, change: dict[str, str | None], status: int, error: str, number: int
) -> None:
    state = make_world().state
    tenant = state.tenant
    form: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "scope": SCOPE,
    }
    given = {name: value for name, value in {**form, **change}.items() if value is not None}

    with pytest.raises(TokenError) as refused:
        grant("tests", state, EnterpriseApplication(), TokenRequest(form=given, address="", at=AT), lifetime=60)

    assert (refused.value.status, refused.value.error, refused.value.number) == (status, error, number)
    body = refused.value.body(AT)
    assert body["error_codes"] == [number]
    assert str(body["error_description"]).startswith(f"AADSTS{number}: ")
