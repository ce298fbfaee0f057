"""HaloPSA's error answers as errors of the pipeline's tree: by status and OAuth code, never by message."""

from __future__ import annotations

import httpx
import msgspec

from pipeline.errors import (
    PipelineError,
    ProviderRejectedError,
    ProviderUnavailableError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.halopsa.payloads import Refusal
from pipeline.providers.retry import seconds_asked_for

UNAVAILABLE = frozenset({408, 500, 502, 503, 504})
REFUSED = frozenset({"invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope", "access_denied"})
"""OAuth's codes for credentials that another try does not mend, https://www.rfc-editor.org/rfc/rfc6749#section-5.2."""


class MissingPermissionError(TenantUnreachableError):
    """The application may sign in and may not read this list."""


def passing(response: httpx.Response) -> PipelineError | None:
    """The error of an answer that another try may mend, ``None`` for every other answer."""
    retry_after = seconds_asked_for(response.headers.get("Retry-After"))
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return ThrottledError("HaloPSA throttles this application", retry_after=retry_after)
    if response.status_code in UNAVAILABLE:
        return ProviderUnavailableError(f"HaloPSA answers {response.status_code}", retry_after=retry_after)
    return None


def list_error(response: httpx.Response, permission: str) -> PipelineError:
    """The error a list's answer of another status than 200 stands for."""
    found = passing(response)
    if found is not None:
        return found
    status = response.status_code
    if status == httpx.codes.FORBIDDEN:
        return MissingPermissionError(
            f"HaloPSA refuses it (HTTP 403): give the application the permission {permission}, and its agent the "
            "right to see them.",
            code="HTTP 403",
        )
    if status == httpx.codes.UNAUTHORIZED:
        return TenantUnreachableError(
            "HaloPSA refuses the token it has just given (HTTP 401): check that the application is active and that "
            "the address is the one HaloPSA shows under its API details.",
            code="HTTP 401",
        )
    return ProviderRejectedError(f"HaloPSA rejects the request (HTTP {status})", code=f"HTTP {status}", status=status)


def sign_in_error(response: httpx.Response) -> PipelineError:
    """The error an answer of the authorisation server other than a token stands for."""
    found = passing(response)
    if found is not None:
        return found
    try:
        code = msgspec.json.decode(response.content, type=Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        code = ""
    if code in REFUSED or response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        told = code or f"HTTP {response.status_code}"
        return TenantUnreachableError(
            f"HaloPSA refuses to sign the application in ({told}): check its client id and secret, that it is active "
            "and that its method is Client ID and Secret (Services).",
            code=told,
        )
    told = code or f"HTTP {response.status_code}"
    return ProviderRejectedError(
        f"HaloPSA's sign-in rejects the request ({told})", code=told, status=response.status_code
    )
