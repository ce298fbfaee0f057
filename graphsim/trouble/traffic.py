"""What stands between the requests and the tenants: throttling, faults for everybody and applications."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphsim.trouble.faults import Fault
from graphsim.trouble.throttling import Throttle
from graphsim.world.enterprise_application import EnterpriseApplication


@dataclass(kw_only=True, slots=True)
class Traffic:
    """``faults`` are for all tenants; a tenant's own are in its state and come first."""

    throttle: Throttle = field(default_factory=Throttle)
    faults: list[Fault] = field(default_factory=list)
    applications: dict[int, EnterpriseApplication] = field(default_factory=dict)

    def application(self, index: int) -> EnterpriseApplication:
        """That of tenant number ``index``."""
        return self.applications.setdefault(index, EnterpriseApplication())
