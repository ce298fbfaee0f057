"""Does a privileged role hang on an on-premises account? Raises ``synced_admin_account``."""

from __future__ import annotations

from analyzers.administrators import judge_administrators, roles_held
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule
from analyzers.wording import listed, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding for every enabled holder that is synchronized from on-premises.

    Graph says null of a user that never was, which is stored as ``False``; ``None`` is what was not read.
    """
    return judge_administrators(
        case, fine=lambda user: user.on_premises_synced is False, unread=_unread, finding=_finding
    )


def _unread(user: Identity) -> str:
    return "whether the account is synchronized was not read" if user.on_premises_synced is None else ""


def _finding(case: Case, user: Identity) -> Finding:
    roles = roles_held(case, user)
    return case.about_user(
        user,
        Severity.HIGH,
        f"{name_of(user)} holds {listed(roles)} but is synchronized from on-premises: whoever controls the directory "
        "there controls the role.",
        reasons=("synchronized",),
        evidence={"roles": roles},
    )


RULE = Rule(
    alert_type=AlertType.SYNCED_ADMIN_ACCOUNT,
    title="An enabled holder of a privileged role is synchronized from on-premises.",
    severity="high",
    inputs=(Resource.USERS, *ROLES),
    optional_inputs=(Resource.GROUP_MEMBERS,),
    per_user=True,
    remediation="Give the role to an account that exists in the cloud only, and take it from the synchronized one.",
    source="https://learn.microsoft.com/entra/identity/role-based-access-control/best-practices",
    judge=judge,
)
