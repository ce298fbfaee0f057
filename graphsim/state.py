"""What happened to a tenant since it was generated: the scenario's changes, laid over the generator.

The one mutable value of a tenant. The server runs on one event loop and changes it between requests only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from graphsim import licenses
from graphsim.catalog import Sku
from graphsim.conditional_access import policy, policy_id
from graphsim.policies import drafts
from graphsim.seeding import draw
from graphsim.signins import SignIns, sign_in_activity
from graphsim.tenants import Json, Tenant, timestamp
from graphsim.users import user


@dataclass(frozen=True, kw_only=True, slots=True)
class UserChange:
    """What differs from the generated user; ``None`` where nothing does."""

    enabled: bool | None = None
    signed_in_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(kw_only=True, slots=True)
class Fault:
    """The next ``times`` requests whose path (``/v1.0/users``) contains ``path_contains`` fail like this."""

    path_contains: str
    status: int
    code: str
    retry_after: int | None = None
    times: int = 1


@dataclass(kw_only=True, slots=True)
class TenantState:
    """A tenant as it is now."""

    tenant: Tenant
    consent: bool = True
    created: int = 0
    removed: set[int] = field(default_factory=set)
    users: dict[int, UserChange] = field(default_factory=dict)
    policy_states: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    token_generation: int = 0
    page_generation: int = 0

    @property
    def size(self) -> int:
        """One more than the highest user number; removed users count too."""
        return self.tenant.size + self.created

    @property
    def user_count(self) -> int:
        return self.size - len(self.removed)

    def exists(self, number: int | None) -> bool:
        return number is not None and 0 <= number < self.size and number not in self.removed

    def user(self, number: int) -> Json:
        """A user with the changes applied; the number must exist."""
        body = user(self.tenant, number)
        if number >= self.tenant.size:
            body.pop("signInActivity", None)  # newcomers have not signed in
        change = self.users.get(number)
        return _changed(body, change, draw(self.tenant.key, b"user", number)) if change else body

    def change_user(self, number: int, *, enabled: bool | None = None, signed_in_at: datetime | None = None) -> None:
        """Block or unblock a user, or let it sign in successfully."""
        change = self.users.get(number, UserChange())
        if enabled is not None:
            change = replace(change, enabled=enabled)
        if signed_in_at is not None:
            change = replace(change, signed_in_at=signed_in_at)
        self.users[number] = change

    def create_user(self, at: datetime) -> int:
        """The number of a new employee: enabled, no licence, never signed in."""
        number = self.size
        self.created += 1
        self.users[number] = UserChange(created_at=at)
        return number

    def policies(self) -> list[Json]:
        written = [policy(self.tenant, number, draft) for number, draft in enumerate(drafts(self.tenant))]
        for body in written:
            changed = self.policy_states.get(str(body["id"]))
            if changed:
                state, at = changed
                body |= {"state": state, "modifiedDateTime": timestamp(at)}
        return written

    def has_policy(self, wanted: str) -> bool:
        return any(policy_id(self.tenant, number) == wanted for number in range(len(drafts(self.tenant))))

    def skus(self) -> list[Json]:
        """The subscribed SKUs; ``consumedUnits`` follows removed users."""
        return [
            licenses.subscribed_sku(self.tenant, sku, consumed=self._consumed(sku), enabled=self._enabled(sku))
            for sku in self.tenant.posture.skus
        ]

    def _consumed(self, sku: Sku) -> int:
        gone = sum(sku.id in self.tenant.persona(number).sku_ids for number in self.removed)
        return licenses.assigned(self.tenant, sku.id) - gone

    def _enabled(self, sku: Sku) -> int:
        generated, _ = licenses.seats(self.tenant, sku)
        return self.units.get(sku.id, generated)

    def take_fault(self, path: str) -> Fault | None:
        """The fault this request runs into, used up by one."""
        for fault in self.faults:
            if fault.path_contains in path:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None


def _changed(body: Json, change: UserChange, raw: bytes) -> Json:
    if change.enabled is not None:
        body["accountEnabled"] = change.enabled
    if change.created_at is not None:
        body["createdDateTime"] = timestamp(change.created_at)
    if change.signed_in_at is not None:
        at = change.signed_in_at
        seen = SignIns(interactive=at, non_interactive=at, successful=at)
        body["signInActivity"] = sign_in_activity(seen, raw)
    return body
