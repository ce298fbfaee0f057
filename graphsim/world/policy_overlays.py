"""What differs from the generated conditional access policies."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

import msgspec

from graphsim.directory.tenants import Json, timestamp


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyChange:
    """``state`` ``None`` where it is as generated; ``exclude_users`` and ``exclude_groups`` are ids added since."""

    at: datetime
    state: str | None = None
    gone: bool = False
    exclude_users: tuple[str, ...] = ()
    exclude_groups: tuple[str, ...] = ()


class _Excluded(msgspec.Struct):
    users: list[str] = msgspec.field(name="excludeUsers")
    groups: list[str] = msgspec.field(name="excludeGroups")


def changed_policy(body: Json, change: PolicyChange) -> Json:
    """The policy with the change applied."""
    changed = deepcopy(body) | {"modifiedDateTime": timestamp(change.at)}
    if change.state is not None:
        changed["state"] = change.state
    users = msgspec.convert(changed["conditions"], dict[str, object])["users"]
    before = msgspec.convert(users, _Excluded)
    after = {
        "excludeUsers": list(dict.fromkeys((*before.users, *change.exclude_users))),
        "excludeGroups": list(dict.fromkeys((*before.groups, *change.exclude_groups))),
    }
    conditions = msgspec.convert(changed["conditions"], dict[str, object])
    conditions["users"] = msgspec.convert(users, dict[str, object]) | after
    changed["conditions"] = conditions
    return changed
