"""What happened to a tenant since it was generated: the scenario's changes, laid over the generator.

The one mutable value of a tenant. The server runs on one event loop and changes it between requests only, by the
functions of ``mutations``; ``membership`` reads groups and roles through it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from graphsim.clock import WorldClock
from graphsim.directory import licenses
from graphsim.directory.catalog import Sku
from graphsim.directory.seeding import draw
from graphsim.directory.signins import last_sign_ins
from graphsim.directory.tenants import Json, Tenant
from graphsim.directory.users import user
from graphsim.policies.conditional_access import policy, policy_id
from graphsim.policies.policy_sets import drafts
from graphsim.trouble.faults import Fault
from graphsim.world.changes import ChangeLog
from graphsim.world.overlays import MemberChange, UserChange, changed_user, held_skus
from graphsim.world.policy_overlays import PolicyChange, changed_policy
from graphsim.world.subscribed import Subscriptions


@dataclass(kw_only=True, slots=True)
class TenantState:
    """A tenant as it is now.

    ``removed`` users and groups are in the recycle bin or, when ``purged`` as well, gone for good.
    """

    tenant: Tenant
    clock: WorldClock | None = None
    log: ChangeLog = field(default_factory=ChangeLog)
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    consent: bool = True
    created: int = 0
    removed: set[int] = field(default_factory=set)
    purged: set[int] = field(default_factory=set)
    users: dict[int, UserChange] = field(default_factory=dict)
    created_groups: list[datetime] = field(default_factory=list)
    removed_groups: set[int] = field(default_factory=set)
    purged_groups: set[int] = field(default_factory=set)
    group_names: dict[int, str] = field(default_factory=dict)
    group_members: dict[int, MemberChange] = field(default_factory=dict)
    role_members: dict[str, MemberChange] = field(default_factory=dict)
    """By the role's template id."""
    policy_changes: dict[str, PolicyChange] = field(default_factory=dict)
    bought: list[Sku] = field(default_factory=list)
    """Products subscribed to since."""
    units: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    token_generation: int = 0
    page_generation: int = 0
    delta_generation: int = 0
    delta_disorder: bool = False
    """Whether deltas repeat objects, replay changes and come in no order."""
    delta_refusal: str = "gone"
    """How a lost delta token is refused; see ``delta_tokens``."""

    @property
    def now(self) -> datetime:
        """The moment in the tenant's world; without a clock it stands still at the tenant's day."""
        return self.clock.moment() if self.clock else self.tenant.now

    @property
    def seconds(self) -> float:
        """The clients' time, which tokens and subscriptions live by, in seconds since 1970."""
        return self.clock.seconds() if self.clock else self.tenant.now.timestamp()

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
        newcomer = number >= self.tenant.size
        if newcomer:
            body.pop("signInActivity", None)  # newcomers have not signed in
        change = self.users.get(number)
        if change is None:
            return body
        raw = draw(self.tenant.key, b"user", number)
        seen = None if newcomer else last_sign_ins(self.tenant.persona(number).kind, raw, self.tenant.now)
        return changed_user(body, change, seen, raw)

    def user_change(self, number: int) -> UserChange:
        return self.users.get(number, UserChange())

    def policies(self) -> list[Json]:
        written = (policy(self.tenant, number, draft) for number, draft in enumerate(drafts(self.tenant)))
        changed = ((body, self.policy_changes.get(str(body["id"]))) for body in written)
        return [
            changed_policy(body, change) if change else body for body, change in changed if not (change and change.gone)
        ]

    def has_policy(self, wanted: str) -> bool:
        change = self.policy_changes.get(wanted)
        known = any(policy_id(self.tenant, number) == wanted for number in range(len(drafts(self.tenant))))
        return known and not (change and change.gone)

    @property
    def products(self) -> tuple[Sku, ...]:
        """The products subscribed to, those bought since included."""
        return (*self.tenant.posture.skus, *self.bought)

    def skus(self) -> list[Json]:
        """The subscribed SKUs; ``consumedUnits`` follows users who go and licences that move."""
        return [
            licenses.subscribed_sku(self.tenant, sku, consumed=self._consumed(sku), enabled=self.enabled_units(sku))
            for sku in self.products
        ]

    def _consumed(self, sku: Sku) -> int:
        moved = self.removed | self.users.keys()
        generated = sum(number < self.tenant.size and self._generated_holder(sku, number) for number in moved)
        now = sum(
            sku.id in held_skus(self.tenant.persona(number), self.users.get(number))
            for number in moved
            if number not in self.removed
        )
        return licenses.assigned(self.tenant, sku.id) - generated + now

    def _generated_holder(self, sku: Sku, number: int) -> bool:
        return sku.id in self.tenant.persona(number).sku_ids

    def enabled_units(self, sku: Sku) -> int:
        """How many seats are bought."""
        generated, _ = licenses.seats(self.tenant, sku)
        return self.units.get(sku.id, 0 if sku in self.bought else generated)
