"""How Entra refuses a token: https://learn.microsoft.com/entra/identity-platform/reference-error-codes."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from graphsim.directory.tenants import Json, timestamp


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


def transient(status: int) -> TokenError:
    sentence = "A transient error has occurred. Please try again."
    return TokenError(status, "temporarily_unavailable", 90033, sentence)


def disabled_application(client_id: str, name: str) -> TokenError:
    sentence = f"Application '{client_id}'({name}) is disabled."
    return TokenError(400, "unauthorized_client", 7000112, sentence)
