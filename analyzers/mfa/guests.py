"""Is MFA demanded of guests at every sign-in? Raises ``guest_mfa_missing``."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.coverage import REFERRED_TO, Doubt, UserCoverage
from analyzers.coverage.scope import EXTERNAL_GUEST, INTERNAL_GUEST, guest_kind
from analyzers.privileged import ROLES
from analyzers.rule import Case, Judgement, Rule, undecided
from analyzers.wording import examples, name_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import AlertType, Finding, Severity, Verdict
from pipeline.domain.rule_settings import ExemptionKind

GUESTS = frozenset({EXTERNAL_GUEST, INTERNAL_GUEST})
SHORT_OF_FULL = frozenset({Verdict.NONE, Verdict.PARTIAL})
SECURITY_DEFAULTS = "security_defaults_adaptive"
KIND_NOT_READ = Doubt(reason="whether an account is a guest was not read", input_missing=False)


def judge(case: Case) -> Judgement:
    """One finding if the MFA coverage of any enabled guest is less than full.

    Security defaults ask everybody for MFA when Microsoft finds it necessary, guests too: it is not missing then.
    """
    short: list[tuple[Identity, UserCoverage]] = []
    untold: Doubt | None = None
    items = 0
    for key, user in case.users.items():
        kind = guest_kind(user)
        if (kind is not None and kind not in GUESTS) or user.enabled is False or key in case.exempt:
            continue
        items += kind is not None
        covered = case.facts.coverage.of(user)
        if covered.verdict is Verdict.UNKNOWN:
            untold = untold or Doubt(reason=covered.because, input_missing=covered.input_missing)
        elif covered.verdict in SHORT_OF_FULL and SECURITY_DEFAULTS not in covered.reasons:
            if kind is None:
                untold = untold or KIND_NOT_READ
            else:
                short.append((user, covered))
    if short:
        return Judgement(items=items, findings=[_finding(case, short)])
    return undecided(items, untold)


def _finding(case: Case, short: Sequence[tuple[Identity, UserCoverage]]) -> Finding:
    reasons = {reason for _, covered in short for reason in covered.reasons}
    policies = {policy for _, covered in short for policy in covered.policy_ids}
    names = examples([name_of(user) for user, _ in short])
    return case.about_tenant(
        Severity.HIGH,
        f"Guests can sign in without MFA, at least in some situations: {names}.",
        reasons=tuple(sorted(reasons)),
        evidence={"policy_ids": sorted(policies)},
    )


RULE = Rule(
    alert_type=AlertType.GUEST_MFA_MISSING,
    title="An enabled guest can sign in without MFA, at least in some situations.",
    severity="high",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.USERS, Resource.POLICIES),
    optional_inputs=(*ROLES, *REFERRED_TO),
    spares=frozenset({ExemptionKind.BREAK_GLASS}),
    heeds_exemptions=True,
    remediation=(
        "Enable a conditional access policy that requires multifactor authentication of guests and external users for "
        "all resources, and disable guests that are not needed any more."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/policy-guests-mfa-strength",
    judge=judge,
)
