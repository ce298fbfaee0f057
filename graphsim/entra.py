"""The token endpoint of Entra: client credentials by secret.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from graphsim import tokens
from graphsim.tenants import Json, Tenant, timestamp


class TokenError(Exception):
    """An OAuth 2 error answer: HTTP status, OAuth code, Entra's AADSTS number and sentence."""

    def __init__(self, status: int, error: str, number: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.error = error
        self.number = number
        self.sentence = sentence

    def body(self, at: float) -> Json:
        trace, correlation = str(uuid4()), str(uuid4())
        moment = timestamp(datetime.fromtimestamp(at, UTC)).replace("T", " ")
        ids = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}"
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.sentence} {ids}",
            "error_codes": [self.number],
            "timestamp": moment,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


def unknown_tenant(name: str) -> TokenError:
    return TokenError(
        400,
        "invalid_request",
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def grant(seed: str, tenant: Tenant, form: Mapping[str, str], *, at: float, lifetime: int, generation: int = 0) -> Json:
    """The token answer, or a ``TokenError``."""
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
    _check_secret(tenant, form)
    if not form.get("scope", "").endswith("/.default"):
        raise TokenError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {form.get('scope', '')} is not valid. Client credential flows must have a "
            "scope value with /.default suffixed to the resource identifier (application ID URI).",
        )
    token = tokens.issue(seed, tenant, at=at, lifetime=lifetime, generation=generation)
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}


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
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
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
