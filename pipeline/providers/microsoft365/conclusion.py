"""What the readings of single lists mean for the tenant as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.errors import DeadlineExceededError, PipelineError, TenantUnreachableError, TransientError
from pipeline.providers.microsoft365.refusals import NonPremiumTenantError

MISSING_PERMISSION = "Authorization_RequestDenied"
NO_PREMIUM = "the tenant has no Microsoft Entra ID P1 licence, so Microsoft gives no sign-in data"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How one resource went: read to its end, or ended by ``error``, which ``permission`` may have to cure."""

    error: PipelineError | None = None
    permission: str = ""
    changes_only: bool = False
    token: str = field(default="", repr=False)
    """Where its changes take up; counts for nothing beside an error."""

    @property
    def outcome(self) -> ReadOutcome:
        match self.error:
            case None:
                return ReadOutcome(complete=True, changes_only=self.changes_only, token=self.token)
            case NonPremiumTenantError():
                reason = NO_PREMIUM
            case TenantUnreachableError(code=code):
                reason = f"Microsoft refuses it ({code}); the application needs the permission {self.permission}"
            case error:
                reason = str(error)
        refused = isinstance(self.error, NonPremiumTenantError | TenantUnreachableError)
        return ReadOutcome(complete=False, reason=reason, refused=refused, changes_only=self.changes_only)


Readings = Mapping[Resource, Reading]


def concluded(readings: Readings) -> Mapping[Resource, ReadOutcome]:
    """Each resource's outcome, when at least something could be read.

    Otherwise raises: ``TenantUnreachableError`` when Microsoft refused everything, the transient error when trying
    again may help, ``DeadlineExceededError`` when time was up. Where the users were not asked for, a missing permission
    is no more than that: the tenant as a whole is judged by the reading of its users.
    """
    errors = [reading.error for reading in readings.values() if reading.error is not None]
    _raise_first(errors, DeadlineExceededError)
    if errors and len(errors) == len(readings):
        refused = [error for error in errors if isinstance(error, TenantUnreachableError)]
        if len(refused) == len(errors) and (
            Resource.USERS in readings or any(error.code != MISSING_PERMISSION for error in refused)
        ):
            raise refused[0]
        _raise_first(errors, TransientError)
    return {resource: reading.outcome for resource, reading in readings.items()}


def _raise_first(errors: list[PipelineError], kind: type[PipelineError]) -> None:
    for error in errors:
        if isinstance(error, kind):
            raise error
