"""The holders of privileged roles that a rule has to judge, and what they hold. Shared by the rules on them."""

from __future__ import annotations

from analyzers.privileged import PRIVILEGED_ROLES
from analyzers.rule import Case
from pipeline.domain.entities import Identity
from pipeline.domain.graph import EMPTY

ENABLED_UNREAD = "whether the account is enabled was not read"


def administrators(case: Case) -> list[Identity]:
    """The users to judge who hold a privileged role, disabled ones too, in the order of their ids."""
    return [case.users[key] for key in sorted(case.facts.privileged) if key in case.users]


def roles_held(case: Case, user: Identity) -> list[str]:
    """The names of the privileged roles of the user, sorted."""
    held = case.graph.roles_of.get(user.id, EMPTY) & PRIVILEGED_ROLES.keys()
    return sorted(PRIVILEGED_ROLES[role] for role in held)
