"""What one sign-in would come to, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.table import Table
from rich.text import Text

from analyzers.coverage.conditions import Reason
from analyzers.coverage.matching import OTHER, TRUSTED
from analyzers.coverage.policy_answers import Applies, PolicyAnswer
from analyzers.coverage.sign_in import AuthenticationFlow, Platform, Risk, Situation
from analyzers.coverage.what_if import SignIn, WhatIf
from analyzers.wording import name_of
from pipeline.cli.connections.chosen import app_names
from pipeline.cli.pages.output import facts, heading, plain, show, table
from pipeline.domain.conditional_access import PolicyState
from pipeline.domain.graph import TenantGraph

SIGN_IN_STYLES: Mapping[SignIn, str] = {
    SignIn.BLOCK: "bold cyan",
    SignIn.MFA: "bold green",
    SignIn.OPEN: "bold red",
    SignIn.UNKNOWN: "bold magenta",
}


def what_if_document(found: WhatIf) -> Mapping[str, object]:
    """Everything that was found out, policies in the order of their ids. Its shape is a contract."""
    return {
        "user": {
            "id": found.user.id,
            "user_principal_name": found.user.user_principal_name,
            "display_name": found.user.display_name,
        },
        "situation": msgspec.to_builtins(found.situation),
        "result": found.outcome.result.value,
        "because": found.outcome.because,
        "mfa_offered": found.outcome.offered,
        "by_policies": found.by_policies.result.value,
        "policies": [_policy(one) for one in found.policies],
    }


def _policy(one: PolicyAnswer) -> Mapping[str, object]:
    return {
        "id": one.policy.id,
        "name": one.policy.display_name,
        "state": one.policy.state,
        "applies": one.applies.value,
        "if_enabled": one.if_enabled.value,
        "demands": one.demands,
        "reasons": [_reason(reason) for reason in one.reasons],
    }


def _reason(reason: Reason) -> Mapping[str, str]:
    """``via`` is only there where an exclusion matched something."""
    told = {"code": reason.code.value, "words": reason.words}
    return {**told, "via": reason.via} if reason.via else told


def show_what_if(found: WhatIf, graph: TenantGraph) -> None:
    """Prints the page; sections that would be empty are left out."""
    result = found.outcome.result
    show(facts([("user", name_of(found.user)), *_circumstances(found.situation, graph)]))
    show(Text(), Text.assemble((result.value.upper(), SIGN_IN_STYLES[result]), "  ", plain(found.outcome.because)))
    answers = sorted(found.policies, key=lambda one: (one.policy.display_name.casefold(), one.policy.id))
    _show_section("Policies that apply", [one for one in answers if one.applies is Applies.YES])
    _show_section(
        "Policies of which it cannot be told", [one for one in answers if one.applies is Applies.CANNOT_TELL], why=True
    )
    _show_section("Policies that would apply, but only report", [one for one in answers if _would_apply(one)])
    rest = [one for one in answers if one.applies is Applies.NO and not _would_apply(one)]
    if rest:
        show(heading("Policies that do not apply"), _not_applying(rest))


def _would_apply(one: PolicyAnswer) -> bool:
    """Whether it only reports, and reports this sign-in."""
    return one.policy.state == PolicyState.REPORT_ONLY and one.if_enabled is Applies.YES


def _circumstances(situation: Situation, graph: TenantGraph) -> Iterator[tuple[str, str]]:
    """The situation in words; risks and flow only where they are not the usual."""
    name = app_names(graph).get(situation.app, "")
    named = f"{name} ({situation.app})" if name and name != situation.app else situation.app
    yield "app", "any that no policy names" if situation.app == OTHER else named
    yield "client", situation.client.value
    yield "platform", "any that no policy names" if situation.platform is Platform.OTHER else situation.platform.value
    yield "location", _place(situation, graph)
    yield "device", situation.device.value
    yield "sign-in risk", "" if situation.sign_in_risk is Risk.NONE else situation.sign_in_risk.value
    yield "user risk", "" if situation.user_risk is Risk.NONE else situation.user_risk.value
    yield "flow", "" if situation.flow is AuthenticationFlow.NONE else situation.flow.value


def _place(situation: Situation, graph: TenantGraph) -> str:
    if situation.location == OTHER:
        return "no named or trusted location"
    if situation.location == TRUSTED:
        return "a trusted location"
    place = graph.named_locations.get(situation.location)
    if place is None or not place.display_name:
        return situation.location
    return f"{place.display_name}{' (trusted)' if place.trusted else ''}"


def _show_section(title: str, answers: Sequence[PolicyAnswer], *, why: bool = False) -> None:
    if not answers:
        return
    rows = table("policy", "demands", *(["why"] if why else []))
    for one in answers:
        cells = [plain(one.policy.display_name or one.policy.id), plain(one.demands)]
        rows.add_row(*cells, *([plain(one.doubts)] if why else []))
    show(heading(title), rows)


def _not_applying(answers: Sequence[PolicyAnswer]) -> Table:
    """Every reason on a line of its own."""
    rows = table("policy", "reason", "why", whole=("reason",))
    for one in answers:
        for number, reason in enumerate(one.reasons):
            name = "" if number else one.policy.display_name or one.policy.id
            via = f" ({reason.via})" if reason.via else ""
            rows.add_row(plain(name), reason.code.value, plain(f"{reason.words}{via}"))
    return rows
