"""Every error the pipeline raises on purpose.

PipelineError
├── PermanentError               trying again changes nothing; the run ends with this reason
│   ├── UserError                a person asked for something that cannot be; exit status 2
│   │   ├── SettingError         a setting is missing or wrong
│   │   ├── UnknownTenantError   no tenant of that name
│   │   └── CaptureFileError     a file of an exported capture cannot be read
│   ├── TenantUnreachableError   consent withdrawn, application disabled, tenant gone
│   ├── ProviderRejectedError    the provider says the request itself is wrong
│   └── DeadlineExceededError    the run took longer than JOB_TIMEOUT_MS
└── TransientError               worth another try; ``retry_after`` seconds where the other side named them
    ├── ThrottledError           429, or our own limiter
    ├── ProviderUnavailableError 5xx, timeouts, cut connections
    └── ServerUnavailableError   PostgreSQL, Redis or NATS cannot be reached; exit status 2 in the CLI

Retry policy reads the type, never the message. Messages are sentences for people and never hold secrets or
customer data.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Root of the tree; ``str(error)`` is a sentence that says what happened and what to do."""


class PermanentError(PipelineError):
    pass


class UserError(PermanentError):
    pass


class SettingError(UserError):
    pass


class UnknownTenantError(UserError):
    pass


class CaptureFileError(UserError):
    pass


class TenantUnreachableError(PermanentError):
    """The tenant refuses us. ``code`` is the provider's error code."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ProviderRejectedError(PermanentError):
    """``code`` is the provider's error code, ``status`` the HTTP status."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class DeadlineExceededError(PermanentError):
    pass


class TransientError(PipelineError):
    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ThrottledError(TransientError):
    pass


class ProviderUnavailableError(TransientError):
    pass


class ServerUnavailableError(TransientError):
    pass
