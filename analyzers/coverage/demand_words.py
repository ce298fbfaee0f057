"""What a policy demands, in words that follow "demands"."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.domain.conditional_access import AuthenticationStrength, Grant

_CONTROLS: Mapping[str, str] = {
    "mfa": "MFA",
    "compliantDevice": "a compliant device",
    "domainJoinedDevice": "a hybrid joined device",
    "approvedApplication": "an approved client app",
    "compliantApplication": "an app protection policy",
    "passwordChange": "a change of the password",
    "riskRemediation": "remediation of the risk",
}
"""https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols; others go by their own name."""


def demand_words(grant: Grant | None, strengths: Mapping[str, AuthenticationStrength]) -> str:
    """``MFA or a compliant device``; of a policy that only controls the session, ``nothing``."""
    if grant is None:
        return "nothing"
    if "block" in grant.built_in_controls:
        return "a block"
    words = [_CONTROLS.get(control, control) for control in grant.built_in_controls]
    words += [f"the custom control {control}" for control in grant.custom_controls]
    words += ["terms of use"] if grant.terms_of_use else []
    if grant.authentication_strength_id is not None:
        strength = strengths.get(grant.authentication_strength_id)
        name = strength.display_name if strength is not None else ""
        words.append(f'the authentication strength "{name or grant.authentication_strength_id}"')
    return f" {grant.operator.lower()} ".join(words) or "nothing"
