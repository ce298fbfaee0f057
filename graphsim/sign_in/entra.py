"""The token endpoint of Entra: client credentials by secret or certificate.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from graphsim.directory.tenants import Json, Tenant
from graphsim.sign_in import assertions, tokens
from graphsim.sign_in.oauth_errors import TokenError, disabled_application
from graphsim.world.enterprise_application import EnterpriseApplication
from graphsim.world.state import TenantState


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequest:
    """What was posted to which address, and when, in seconds since 1970."""

    form: Mapping[str, str]
    address: str
    at: float


def grant(
    seed: str, state: TenantState, application: EnterpriseApplication, request: TokenRequest, *, lifetime: int
) -> Json:
    """The token answer, or a ``TokenError``."""
    tenant, form = state.tenant, request.form
    if form.get("grant_type") != "client_credentials":
        raise TokenError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    if form.get("client_id", "").lower() != tenant.client_id:
        raise TokenError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form.get('client_id', '')}' was not found in the directory "
            f"'{tenant.name}'.",
        )
    if not application.enabled:
        raise disabled_application(tenant.client_id, "graphsim")
    _check_credential(tenant, application, request)
    if not form.get("scope", "").endswith("/.default"):
        raise TokenError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {form.get('scope', '')} is not valid. Client credential flows must have a "
            "scope value with /.default suffixed to the resource identifier (application ID URI).",
        )
    token = tokens.issue(seed, tenant, at=request.at, lifetime=lifetime, generation=state.token_generation)
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}


def _check_credential(tenant: Tenant, application: EnterpriseApplication, request: TokenRequest) -> None:
    assertion, kind = request.form.get("client_assertion"), request.form.get("client_assertion_type")
    if assertion is None:
        _check_secret(tenant, request.form)
        return
    if kind != assertions.TYPE:
        sentence = "The 'client_assertion_type' parameter is missing or not supported."
        raise TokenError(401, "invalid_client", 50027, sentence)
    assertions.verify(
        assertion,
        application.certificates,
        client_id=tenant.client_id,
        audiences=frozenset({request.address.lower()}),
        at=request.at,
    )


def _check_secret(tenant: Tenant, form: Mapping[str, str]) -> None:
    if "client_secret" not in form:
        raise TokenError(
            401,
            "invalid_client",
            7000216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        )
    if not hmac.compare_digest(form["client_secret"].encode(), tenant.client_secret.encode()):
        raise TokenError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{tenant.client_id}'.",
        )


def openid_configuration(tenant: Tenant, authority: str) -> Json:
    """What clients discover first. ``authority`` is the server's address."""
    root = f"{authority}/{tenant.id}"
    return {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{root}/v2.0",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "NA",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }
