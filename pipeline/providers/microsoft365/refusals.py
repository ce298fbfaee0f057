"""Microsoft's error answers as errors of the pipeline's tree: by code and status, never by message.

https://learn.microsoft.com/graph/errors and https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import httpx
import msgspec

from pipeline.errors import (
    PermanentError,
    PipelineError,
    ProviderRejectedError,
    ProviderUnavailableError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.microsoft365.aadsts import TRANSIENT, WHAT_TO_DO
from pipeline.providers.retry import seconds_asked_for

NON_PREMIUM = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
EXPIRED_PAGE = "Directory_ExpiredPageToken"
UNAVAILABLE = frozenset({408, 500, 502, 503, 504, 509})
"""Worth another try. 501 is not: it answers a property that Graph cannot return in a list."""


class NonPremiumTenantError(ProviderRejectedError):
    """The tenant has no Microsoft Entra ID P1 licence, or Microsoft says so for the moment."""


class MissingPermissionError(ProviderRejectedError):
    """The application may sign in, and may not do this. Every service of Graph has a code of its own for it, so the
    status tells:

    - ``Authorization_RequestDenied`` from the directory, https://learn.microsoft.com/graph/resolve-auth-errors
    - ``AccessDenied`` from conditional access,
      https://github.com/microsoftgraph/microsoft-graph-explorer-v4/issues/2580
    - ``accessDenied`` from authentication methods and strengths,
      https://github.com/microsoftgraph/msgraph-sdk-go/issues/441
    - ``Authentication_MSGraphPermissionMissing`` from reports and sign-ins,
      https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/1852
    - ``UnknownError`` from privileged identity management,
      https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/17
    """


class ExpiredPageTokenError(ProviderRejectedError):
    """The list has to be read again from its first page."""


class _Error(msgspec.Struct):
    code: str | None = None


class _GraphAnswer(msgspec.Struct):
    error: _Error | None = None


class _TokenAnswer(msgspec.Struct):
    error: str | None = None
    error_codes: list[int] | None = None


def graph_error(response: httpx.Response) -> PipelineError:
    """The error that Graph's answer of status ≥ 300 stands for."""
    code, status = _code(response.content) or f"HTTP {response.status_code}", response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ThrottledError("Microsoft throttles this application", retry_after=_retry_after(response))
    if status in UNAVAILABLE:
        return ProviderUnavailableError(f"Microsoft answers {status} ({code})", retry_after=_retry_after(response))
    return _rejected(code, status)


def _rejected(code: str, status: int) -> PermanentError:
    """What another try does not mend."""
    if code == NON_PREMIUM:
        return NonPremiumTenantError("the tenant has no Microsoft Entra ID P1 licence", code=code, status=status)
    if code == EXPIRED_PAGE:
        return ExpiredPageTokenError(f"the list kept expiring while it was read ({code})", code=code, status=status)
    refused = (
        f"Microsoft refuses access to the tenant ({code}): have one of its administrators consent to the "
        "application's permissions again."
    )
    if status == httpx.codes.FORBIDDEN:
        return MissingPermissionError(refused, code=code, status=status)
    if status == httpx.codes.UNAUTHORIZED:
        return TenantUnreachableError(refused, code=code)
    return ProviderRejectedError(f"Microsoft rejects the request ({code})", code=code, status=status)


def _code(body: bytes) -> str | None:
    try:
        answer = msgspec.json.decode(body, type=_GraphAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return answer.error.code if answer.error else None


def _retry_after(response: httpx.Response) -> float | None:
    return seconds_asked_for(response.headers.get("Retry-After"))


TRANSIENT_TOKEN_ERRORS = frozenset({"temporarily_unavailable", "server_error"})


def token_error(response: httpx.Response) -> PipelineError | None:
    """The error a token endpoint's answer stands for; ``None`` for a good answer."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ThrottledError("Microsoft throttles sign-ins of this application", retry_after=_retry_after(response))
    try:
        answer = msgspec.json.decode(response.content, type=_TokenAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ProviderUnavailableError(f"Microsoft's sign-in answers {status} without JSON")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or _is_transient(answer):
        return ProviderUnavailableError(f"Microsoft's sign-in answers {status}", retry_after=_retry_after(response))
    return None if response.is_success else sign_in_refused(answer.error, answer.error_codes)


def _is_transient(answer: _TokenAnswer) -> bool:
    codes = TRANSIENT.intersection(answer.error_codes or ())
    return answer.error in TRANSIENT_TOKEN_ERRORS or bool(codes)


def sign_in_refused(error: str | None, codes: list[int] | None) -> TenantUnreachableError:
    number = next((code for code in codes or () if code in WHAT_TO_DO), codes[0] if codes else None)
    code = f"AADSTS{number}" if number else error or "unknown"
    advice = WHAT_TO_DO.get(number or 0, f"look the code up at https://login.microsoftonline.com/error?code={number}")
    return TenantUnreachableError(f"Microsoft refuses to sign the application in ({code}): {advice}.", code=code)
