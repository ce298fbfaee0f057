"""What happened to the simulated HaloPSA since it was generated. Changed between requests only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from graphsim.directory.tenants import Json


@dataclass(kw_only=True, slots=True)
class HaloFault:
    """The next ``times`` requests whose path contains ``path_contains`` fail so; status 0 cuts the answer short."""

    path_contains: str
    status: int
    times: int = 1
    retry_after: int | None = None


@dataclass(kw_only=True, slots=True)
class HaloState:
    """The changes: clients written or replaced by id, clients taken away, and what requests meet.

    ``kept_back`` ids are counted in ``record_count`` and not given, as records the application's agent may not see.
    """

    clients: dict[int, Json] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    kept_back: set[int] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    """Last parts of paths (``Client``) that the application has no permission for."""
    faults: list[HaloFault] = field(default_factory=list)
    token_generation: int = 0
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=1000))
    """Path and query of the latest requests, in their order."""

    def take_fault(self, path: str) -> HaloFault | None:
        """The fault this request runs into, used up by one."""
        for fault in self.faults:
            if fault.path_contains in path:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None
