"""What the readings of single lists mean for the tenant as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.domain.capture import ReadOutcome, Resource
from pipeline.errors import DeadlineExceededError, PipelineError, TenantUnreachableError, TransientError
from pipeline.providers.microsoft365.refusals import MissingPermissionError, NonPremiumTenantError

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
            case MissingPermissionError(code=code) | TenantUnreachableError(code=code):
                reason = f"Microsoft refuses it ({code}); the application needs the permission {self.permission}"
            case error:
                reason = str(error)
        refused = isinstance(self.error, MissingPermissionError | NonPremiumTenantError | TenantUnreachableError)
        return ReadOutcome(complete=False, reason=reason, refused=refused, changes_only=self.changes_only)


Readings = Mapping[Resource, Reading]


def concluded(readings: Readings) -> Mapping[Resource, ReadOutcome]:
    """Each resource's outcome, when at least something could be read and the users, if asked for, were not refused.

    Otherwise raises: ``TenantUnreachableError`` when Microsoft refused the users, or all there was to read and not for
    want of permissions; the transient error when trying again may help; ``DeadlineExceededError`` when time was up.
    A permission that is missing for anything else is no more than that: the tenant as a whole is judged by its users,
    whatever else a run happens to read beside them, lest the alert come and go. See decision 0006.
    """
    if Resource.USERS in readings:
        _raise_refused(readings[Resource.USERS].error)
    errors = [reading.error for reading in readings.values() if reading.error is not None]
    _raise_first(errors, DeadlineExceededError)
    if errors and len(errors) == len(readings):
        if all(isinstance(error, MissingPermissionError | TenantUnreachableError) for error in errors):
            _raise_first(errors, TenantUnreachableError)
        _raise_first(errors, TransientError)
    return {resource: reading.outcome for resource, reading in readings.items()}


def _raise_refused(users: PipelineError | None) -> None:
    """What the users' reading says of the tenant: refused, by whichever word, it is unreachable."""
    if isinstance(users, MissingPermissionError):
        raise TenantUnreachableError(str(users), code=users.code) from users
    if isinstance(users, TenantUnreachableError):
        raise users


def _raise_first(errors: list[PipelineError], kind: type[PipelineError]) -> None:
    for error in errors:
        if isinstance(error, kind):
            raise error
