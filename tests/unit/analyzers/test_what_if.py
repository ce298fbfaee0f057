"""One user, one sign-in: which policies apply, why not the others, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.coverage import Coverage
from analyzers.coverage.conditions import ReasonCode
from analyzers.coverage.matching import OTHER, TRUSTED
from analyzers.coverage.policy_answers import Applies, PolicyAnswer
from analyzers.coverage.sign_in import AuthenticationFlow, ClientApp, Device, Platform, Risk, Situation
from analyzers.coverage.what_if import Outcome, SignIn, WhatIf, ask, what_if
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    DeviceFilter,
    Grant,
    GuestScope,
    IncludeExclude,
    NamedLocation,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
)
from pipeline.domain.entities import Application, Group, Identity, PerUserMfa
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers import brute
from tests.unit.analyzers.build import ALL_APPS, BLOCK, EVERYONE, GLOBAL_ADMIN, MFA, READER, policy, tenant, user
from tests.unit.analyzers.test_coverage_properties import USERS, tenants, with_policies

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
PLANNER = "09abbdfd-ed23-44ee-a2d9-a627aa1c90f3"
"""In Office365, and none of the apps of which that is known."""
PAYROLL = Application(id="payroll", app_id="eeeeeeee-0000-0000-0000-000000000002")
STRONG = AuthenticationStrength(id="strong", display_name="Phishing-resistant", requirements_satisfied="mfa")
OFFICE = NamedLocation(id="office", display_name="Office", trusted=True)
GERMANY = NamedLocation(id="germany", display_name="Germany")
BASELINE = Situation()


def asked(graph: TenantGraph, situation: Situation = BASELINE, who: str = "ada") -> WhatIf:
    return what_if(graph.identities[who], situation, graph)


def of_ada(*policies: ConditionalAccessPolicy, situation: Situation = BASELINE) -> WhatIf:
    return asked(tenant(*policies, strengths=(STRONG,), locations=(OFFICE, GERMANY)), situation)


def answer(one: ConditionalAccessPolicy, situation: Situation = BASELINE) -> PolicyAnswer:
    (found,) = of_ada(one, situation=situation).policies
    return found


def codes(found: PolicyAnswer) -> tuple[str, ...]:
    return tuple(reason.code.value for reason in found.reasons)


# --- agreement with the engine and with the plain evaluator ---


def in_words_of_the_tool(situation: brute.Situation) -> Situation:
    app, client, platform, place = situation
    return Situation(
        app=OTHER if app == "?" else app,
        client=ClientApp(client),
        platform=Platform.OTHER if platform == "?" else Platform(platform),
        location={"?": OTHER, "trusted?": TRUSTED}.get(place, place),
    )


PLAIN = {"BLOCK": (SignIn.BLOCK, False), "MFA": (SignIn.MFA, False), "OFFERED": (SignIn.OPEN, True)}


def verdict_of(outcomes: Iterable[Outcome]) -> Verdict:
    """The engine's verdict from what every baseline sign-in comes to."""
    found = {(one.result, one.offered) for one in outcomes}
    results = {result for result, _ in found}
    if SignIn.UNKNOWN in results:
        return Verdict.UNKNOWN
    if results == {SignIn.BLOCK}:
        return Verdict.NOT_APPLICABLE
    if SignIn.OPEN not in results:
        return Verdict.FULL
    return Verdict.PARTIAL if SignIn.MFA in results or (SignIn.OPEN, True) in found else Verdict.NONE


@given(tenants(), st.sampled_from(USERS))
@settings(max_examples=300, deadline=None)
def test_policies_alone_come_to_what_a_plain_evaluator_says_of_every_baseline_situation(
    graph: TenantGraph, who: str
) -> None:
    person, coverage = graph.identities[who], Coverage(graph)
    for situation in brute.situations(graph):
        found = ask(person, in_words_of_the_tool(situation), coverage)

        expected = PLAIN.get(brute.outcome(person, situation, graph), (SignIn.OPEN, False))
        assert (found.by_policies.result, found.by_policies.offered) == expected
        applying = {one.policy.id for one in found.policies if one.applies is Applies.YES}
        assert applying == {key for key, one in graph.policies.items() if brute.applies(one, person, situation, graph)}


def as_microsoft_allows(graph: TenantGraph) -> TenantGraph:
    """Security defaults are on only where no policy is, learn.microsoft.com/entra/fundamentals/security-defaults."""
    if graph.security_defaults is None or not graph.security_defaults.enabled:
        return graph
    return with_policies(graph, *(replace(one, state=PolicyState.REPORT_ONLY) for one in graph.policies.values()))


@given(tenants().map(as_microsoft_allows), st.sampled_from(USERS))
@settings(max_examples=200, deadline=None)
def test_all_baseline_situations_together_come_to_the_coverage_of_the_user(graph: TenantGraph, who: str) -> None:
    person, coverage = graph.identities[who], Coverage(graph)
    outcomes = (ask(person, in_words_of_the_tool(situation), coverage).outcome for situation in brute.situations(graph))

    assert verdict_of(outcomes) is coverage.of(person).verdict


SITUATIONS = st.builds(
    Situation,
    app=st.sampled_from((OTHER, "Office365", EXCHANGE, "app-1", "elsewhere")),
    client=st.sampled_from(ClientApp),
    platform=st.sampled_from(Platform),
    location=st.sampled_from((OTHER, TRUSTED, "office", "shop")),
    device=st.sampled_from(Device),
    sign_in_risk=st.sampled_from(Risk),
    user_risk=st.sampled_from(Risk),
    flow=st.sampled_from(AuthenticationFlow),
)


@given(tenants(), st.sampled_from(USERS), SITUATIONS)
@settings(max_examples=200, deadline=None)
def test_a_policy_applies_exactly_where_there_is_no_reason_why_it_should_not(
    graph: TenantGraph, who: str, situation: Situation
) -> None:
    found = asked(graph, situation, who)

    assert [one.policy.id for one in found.policies] == sorted(graph.policies)
    for one in found.policies:
        assert (one.applies is Applies.YES) == (not one.reasons)
        assert all(reason.words for reason in one.reasons)
        assert one.applies is one.if_enabled or codes(one)[0] == "policyNotEnabled"


@given(tenants(), st.sampled_from(USERS), SITUATIONS)
@settings(max_examples=200, deadline=None)
def test_at_a_risk_a_policy_for_it_is_as_one_for_every_risk(graph: TenantGraph, who: str, situation: Situation) -> None:
    risky = replace(situation, sign_in_risk=Risk.HIGH)
    for_all = with_policies(graph, *(replace(one, sign_in_risk_levels=()) for one in graph.policies.values()))

    assert asked(graph, risky, who).outcome == asked(for_all, risky, who).outcome


@given(tenants(), st.sampled_from(USERS), SITUATIONS)
@settings(max_examples=200, deadline=None)
def test_what_is_not_known_never_makes_a_claim_that_knowing_it_would_turn_round(
    graph: TenantGraph, who: str, situation: Situation
) -> None:
    """Groups, roles, locations or defaults that were not read: the answer stays, or becomes "cannot tell"."""
    known = asked(graph, situation, who).outcome
    for resource in (Resource.GROUP_MEMBERS, Resource.ROLE_MEMBERS, Resource.NAMED_LOCATIONS):
        unread = replace(graph.inputs[resource], complete=False, reason="no consent")
        found = asked(replace(graph, inputs={**graph.inputs, resource: unread}), situation, who).outcome

        assert found.result in {known.result, SignIn.UNKNOWN}


# --- the pinned examples ---


AWAY = policy(locations=IncludeExclude(include=("All",), exclude=("AllTrusted",)))
ANDROID = policy(platforms=IncludeExclude(include=("android",)))
BROWSER = policy(client_app_types=("browser",))
NOT_ADA = policy(users=PolicyUsers(include_users=("All",), exclude_users=("ada",)))
NOT_APP = policy(applications=PolicyApplications(include=("All",), exclude=("app-1",)))
RISKY = replace(policy(), sign_in_risk_levels=("high",))
OR_DEVICE = policy(grant=Grant(operator="OR", built_in_controls=("mfa", "compliantDevice")))


@pytest.mark.parametrize(
    ("changed", "where", "result", "reasons"),
    [
        (policy(), BASELINE, SignIn.MFA, ()),
        (OR_DEVICE, BASELINE, SignIn.OPEN, ()),
        (AWAY, BASELINE, SignIn.MFA, ()),
        (AWAY, Situation(location="germany"), SignIn.MFA, ()),
        (AWAY, Situation(location="office"), SignIn.OPEN, ("location",)),
        (AWAY, Situation(location=TRUSTED), SignIn.OPEN, ("location",)),
        (ANDROID, Situation(platform=Platform.ANDROID), SignIn.MFA, ()),
        (ANDROID, Situation(platform=Platform.IOS), SignIn.OPEN, ("devicePlatform",)),
        (ANDROID, BASELINE, SignIn.OPEN, ("devicePlatform",)),
        (BROWSER, BASELINE, SignIn.MFA, ()),
        (BROWSER, Situation(client=ClientApp.MODERN), SignIn.OPEN, ("clientApps",)),
        (BROWSER, Situation(client=ClientApp.OTHER), SignIn.OPEN, ("clientApps",)),
        (NOT_ADA, BASELINE, SignIn.OPEN, ("excluded_user",)),
        (NOT_APP, BASELINE, SignIn.MFA, ()),
        (NOT_APP, Situation(app="app-1"), SignIn.OPEN, ("application",)),
        (RISKY, BASELINE, SignIn.OPEN, ("signInRisk",)),
        (RISKY, Situation(sign_in_risk=Risk.HIGH), SignIn.MFA, ()),
        (policy(state=PolicyState.REPORT_ONLY), BASELINE, SignIn.OPEN, ("policyNotEnabled",)),
    ],
)
def test_the_pinned_examples_hold_situation_by_situation(
    changed: ConditionalAccessPolicy, where: Situation, result: SignIn, reasons: tuple[str, ...]
) -> None:
    found = of_ada(changed, situation=where)

    assert (found.outcome.result, codes(found.policies[0])) == (result, reasons)


# --- every reason ---


STAFF, ADMINS = Group(id="staff", display_name="Staff"), Group(id="admins", role_assignable=True)
FILTERED = replace(ALL_APPS, filter_rule="CustomSecurityAttribute.x -eq 1")


@pytest.mark.parametrize(
    ("one", "where", "code", "words"),
    [
        (policy(state=PolicyState.DISABLED), BASELINE, "policyNotEnabled", "is switched off"),
        (policy(state=PolicyState.REPORT_ONLY), BASELINE, "policyNotEnabled", "only reports"),
        (policy(users=PolicyUsers(include_users=("bob",))), BASELINE, "users", "does not include this user"),
        (policy(users=PolicyUsers(include_users=("None",))), BASELINE, "users", "does not include this user"),
        (NOT_ADA, BASELINE, "excluded_user", "excludes this user"),
        (
            replace(policy(), workload_identities_only=True),
            BASELINE,
            "workloadIdentities",
            "is about workload identities, not about users",
        ),
        (NOT_APP, Situation(app="app-1"), "application", "excludes the app app-1"),
        (policy(applications=PolicyApplications(include=("None",))), BASELINE, "application", "covers no app"),
        (
            policy(applications=PolicyApplications(include=("Office365",))),
            BASELINE,
            "application",
            "covers only the app Office365",
        ),
        (
            policy(applications=PolicyApplications(user_actions=("urn:user:registersecurityinfo",))),
            BASELINE,
            "userActions",
            "is about actions of users, not about apps",
        ),
        (
            policy(applications=PolicyApplications(authentication_contexts=("c1",))),
            BASELINE,
            "authenticationContext",
            "is about authentication contexts, not about apps",
        ),
        (BROWSER, Situation(client=ClientApp.OTHER), "clientApps", "covers only the client app browser"),
        (ANDROID, BASELINE, "devicePlatform", "covers only the platform android"),
        (AWAY, Situation(location="office"), "location", "excludes trusted locations"),
        (
            policy(locations=IncludeExclude(include=("office", "germany"))),
            BASELINE,
            "location",
            "covers only the locations Office, Germany",
        ),
        (RISKY, Situation(sign_in_risk=Risk.MEDIUM), "signInRisk", "applies only at high sign-in risk"),
        (
            replace(policy(), user_risk_levels=("medium", "high")),
            BASELINE,
            "userRisk",
            "applies only at medium or high user risk",
        ),
        (
            replace(policy(), insider_risk_levels=("elevated",)),
            BASELINE,
            "insiderRisk",
            "applies only at a certain insider risk",
        ),
        (
            replace(policy(), authentication_flows=("deviceCodeFlow",)),
            Situation(flow=AuthenticationFlow.TRANSFER),
            "authenticationFlow",
            "applies only to deviceCodeFlow",
        ),
        (
            replace(policy(), device_filter=DeviceFilter(mode="include", rule='device.isCompliant -eq "True"')),
            BASELINE,
            "devices",
            "has a filter that leaves the device out",
        ),
        (
            replace(policy(), device_filter=DeviceFilter(mode="include", rule="???")),
            BASELINE,
            "notEnoughInformation",
            "whether its filter selects the device cannot be told",
        ),
        (
            policy(applications=replace(FILTERED, filter_mode="exclude")),
            Situation(app="app-1"),
            "notEnoughInformation",
            "whether its filter selects the app is not known",
        ),
    ],
)
def test_each_reason_has_its_code_and_says_so_in_words(
    one: ConditionalAccessPolicy, where: Situation, code: str, words: str
) -> None:
    assert [(reason.code.value, reason.words) for reason in answer(one, where).reasons] == [(code, words)]


def test_every_code_is_explained_to_technicians() -> None:
    page = (Path(__file__).parents[3] / "docs" / "what-if.md").read_text(encoding="utf-8")

    assert [code.value for code in ReasonCode if f"`{code.value}`" not in page] == []


def test_every_condition_that_does_not_hold_is_told_not_only_the_first() -> None:
    one = replace(
        RISKY,
        state=PolicyState.DISABLED,
        users=PolicyUsers(include_users=("bob",), exclude_users=("ada",)),
        applications=PolicyApplications(include=("app-1",)),
        client_app_types=("other",),
        platforms=IncludeExclude(include=("iOS",)),
        locations=IncludeExclude(include=("office",)),
        user_risk_levels=("high",),
        insider_risk_levels=("minor",),
        authentication_flows=("deviceCodeFlow",),
        device_filter=DeviceFilter(mode="exclude", rule='device.isCompliant -ne "True"'),
    )

    assert codes(answer(one)) == (
        "policyNotEnabled",
        "excluded_user",
        "users",
        "application",
        "clientApps",
        "devicePlatform",
        "location",
        "signInRisk",
        "userRisk",
        "insiderRisk",
        "authenticationFlow",
        "devices",
    )


def test_each_risk_is_asked_for_by_itself() -> None:
    risky_user = replace(policy(), user_risk_levels=("medium", "high"))

    assert answer(risky_user, Situation(user_risk=Risk.HIGH)).applies is Applies.YES
    assert codes(answer(risky_user, Situation(sign_in_risk=Risk.HIGH))) == ("userRisk",)
    assert codes(answer(RISKY, Situation(user_risk=Risk.HIGH))) == ("signInRisk",)
    assert answer(replace(policy(), sign_in_risk_levels=("none",))).applies is Applies.YES


def test_a_flow_is_covered_by_the_policies_for_it_and_by_those_for_all() -> None:
    codes_only = replace(policy(), authentication_flows=("deviceCodeFlow", "authenticationTransfer"))

    assert answer(codes_only, Situation(flow=AuthenticationFlow.DEVICE_CODE)).applies is Applies.YES
    assert answer(policy(), Situation(flow=AuthenticationFlow.TRANSFER)).applies is Applies.YES
    assert codes(answer(codes_only)) == ("authenticationFlow",)


def test_what_is_not_known_is_left_out_where_something_fails_for_certain() -> None:
    unclear = replace(policy(), device_filter=DeviceFilter(mode="include", rule="???"))

    assert codes(answer(replace(unclear, platforms=IncludeExclude(include=("iOS",))))) == ("devicePlatform",)
    assert codes(answer(replace(unclear, state=PolicyState.DISABLED))) == ("policyNotEnabled", "notEnoughInformation")


# --- whom a policy concerns ---


def excluding(users: PolicyUsers, who: Identity | None = None) -> PolicyAnswer:
    graph = tenant(
        policy(users=users),
        users=(who or user(),),
        groups=(STAFF, Group(id="team"), ADMINS),
        members=(("staff", "team"), ("team", "ada"), ("admins", "ada")),
        roles=((READER, "admins"),),
    )
    return asked(graph).policies[0]


def test_every_way_in_which_a_user_is_excluded_is_told_with_the_id_that_matched() -> None:
    found = excluding(
        replace(EVERYONE, exclude_users=("ada",), exclude_groups=("staff", "team"), exclude_roles=(READER,))
    )

    assert [(reason.code.value, reason.via) for reason in found.reasons] == [
        ("excluded_user", "ada"),
        ("excluded_group", "staff"),
        ("excluded_group", "team"),
        ("excluded_role", READER),
    ]
    assert [reason.words for reason in found.reasons][1:3] == [
        'excludes the group "Staff"',
        'excludes the group "team"',
    ]


def test_an_excluded_guest_is_told_by_its_kind() -> None:
    guest = user(user_type="Guest", upn="ada_x.com#EXT#@contoso.com")
    (reason,) = excluding(replace(EVERYONE, exclude_guests=GuestScope(kinds=("b2bCollaborationGuest",))), guest).reasons

    assert (reason.code.value, reason.via, reason.words) == (
        "excluded_guest",
        "b2bCollaborationGuest",
        "excludes guests",
    )


@pytest.mark.parametrize(
    ("users", "who", "words"),
    [
        (
            replace(EVERYONE, exclude_guests=GuestScope(kinds=("b2bCollaborationGuest",), external_tenant_ids=("t",))),
            user(user_type="Guest", upn="ada_x.com#EXT#@contoso.com"),
            "the guest's home tenant is not known, and a policy names tenants",
        ),
        (
            PolicyUsers(include_users=("GuestsOrExternalUsers",)),
            user(user_type=None),
            "whether the account is a guest was not read",
        ),
    ],
)
def test_whom_a_policy_concerns_may_not_be_known(users: PolicyUsers, who: Identity, words: str) -> None:
    found = excluding(users, who)

    assert found.applies is Applies.CANNOT_TELL
    assert [(reason.code.value, reason.words) for reason in found.reasons] == [("notEnoughInformation", words)]


def test_what_is_not_known_of_groups_matters_only_where_it_decides() -> None:
    unread = {Resource.GROUP_MEMBERS: "no consent"}
    out = policy("out", users=PolicyUsers(include_groups=("staff",), exclude_users=("ada",)))
    tenants_named = GuestScope(kinds=("b2bCollaborationGuest",), external_tenant_ids=("t",))
    guests = PolicyUsers(include_users=("ada",), include_groups=("staff",), exclude_guests=tenants_named)
    guest = user(user_type="Guest", upn="ada_x.com#EXT#@contoso.com")
    left_out, maybe = asked(tenant(out, policy("some", users=guests), users=(guest,), unread=unread)).policies

    assert codes(left_out) == ("excluded_user",)
    assert maybe.doubts == "the guest's home tenant is not known, and a policy names tenants"


def test_groups_that_were_not_read_leave_only_the_policies_that_name_groups_open() -> None:
    by_group = policy("group", users=PolicyUsers(include_groups=("staff",)), grant=BLOCK)
    graph = tenant(policy("all"), by_group, unread={Resource.GROUP_MEMBERS: "no consent"})
    found = asked(graph)

    assert {one.policy.id: one.applies for one in found.policies} == {"all": Applies.YES, "group": Applies.CANNOT_TELL}
    assert found.outcome == Outcome(
        SignIn.UNKNOWN,
        'It cannot be told whether "Policy group" blocks this sign-in: groupMembers could not be read: no consent.',
        may_block=True,
    )


# --- apps, locations, devices that are only partly known ---


def test_a_place_is_trusted_or_not_only_where_the_locations_were_read() -> None:
    graph = tenant(AWAY, unread={Resource.NAMED_LOCATIONS: "no consent"})
    named = policy(locations=IncludeExclude(include=("office",)))
    by_id = tenant(named, unread={Resource.NAMED_LOCATIONS: "no consent"})

    assert asked(graph, Situation(location="office")).outcome.result is SignIn.UNKNOWN
    assert asked(graph, Situation(location=TRUSTED)).outcome.result is SignIn.OPEN
    assert asked(graph).outcome.result is SignIn.MFA
    assert asked(by_id, Situation(location="office")).outcome.result is SignIn.MFA


def test_an_app_of_the_office_suite_is_covered_by_its_name() -> None:
    suite = policy(applications=PolicyApplications(include=("Office365",)))

    assert answer(suite, Situation(app=EXCHANGE)).applies is Applies.YES
    assert answer(suite, Situation(app="Office365")).applies is Applies.YES
    assert answer(suite, Situation(app="app-1")).applies is Applies.NO


YES, NO, CANNOT_TELL = Applies.YES, Applies.NO, Applies.CANNOT_TELL
SUITE, PORTALS = "Office365", "MicrosoftAdminPortals"


@pytest.mark.parametrize(
    ("include", "exclude", "app", "applies"),
    [
        ((SUITE,), (), PLANNER, CANNOT_TELL),
        ((SUITE,), (), PLANNER.upper(), CANNOT_TELL),
        ((PORTALS,), (), PLANNER, CANNOT_TELL),
        (("All",), (SUITE,), PLANNER, CANNOT_TELL),
        (("All",), (PORTALS,), PLANNER, CANNOT_TELL),
        ((SUITE,), (PORTALS,), PLANNER, CANNOT_TELL),
        (("app-1", SUITE), ("app-2",), PLANNER, CANNOT_TELL),
        # Covered or left out whatever the suite contains.
        (("All",), (), PLANNER, YES),
        (("All", SUITE), (), PLANNER, YES),
        ((SUITE,), (SUITE,), PLANNER, NO),
        (("app-1",), (SUITE,), PLANNER, NO),
        (("None",), (SUITE,), PLANNER, NO),
        # Named by the policy itself.
        ((SUITE, PLANNER), (), PLANNER, YES),
        ((PLANNER,), (SUITE,), PLANNER, YES),
        ((SUITE,), (PLANNER,), PLANNER, NO),
        (("All",), (SUITE, PLANNER), PLANNER, NO),
        # Known to be in the suite, or to be in none.
        ((SUITE,), (), EXCHANGE, YES),
        (("All",), (SUITE,), EXCHANGE, NO),
        ((PORTALS,), (), EXCHANGE, NO),
        ((SUITE,), (), PAYROLL.app_id, NO),
        (("All",), (SUITE, PORTALS), PAYROLL.app_id, YES),
        ((SUITE,), (), OTHER, NO),
        (("All",), (SUITE,), OTHER, YES),
        ((SUITE,), (), PORTALS, NO),
        ((PORTALS,), (), PORTALS, YES),
    ],
)
def test_whether_a_suite_contains_an_app_is_not_guessed(
    include: tuple[str, ...], exclude: tuple[str, ...], app: str, applies: Applies
) -> None:
    one = policy(applications=PolicyApplications(include=include, exclude=exclude))

    (found,) = asked(tenant(one, applications=(PAYROLL,)), Situation(app=app)).policies

    assert found.applies is applies
    assert codes(found) == {YES: (), NO: ("application",), CANNOT_TELL: ("notEnoughInformation",)}[applies]


@pytest.mark.parametrize(
    ("applications", "words"),
    [
        (PolicyApplications(include=(PORTALS,)), "whether MicrosoftAdminPortals contains the app is not known"),
        (
            PolicyApplications(include=(PORTALS, SUITE)),
            "whether Office365 or MicrosoftAdminPortals contains the app is not known",
        ),
        (
            replace(FILTERED, filter_mode="exclude", exclude=(SUITE,)),
            "whether its filter selects the app is not known; whether Office365 contains the app is not known",
        ),
        (
            replace(FILTERED, filter_mode="include", exclude=(SUITE,)),
            "whether Office365 contains the app is not known",
        ),
    ],
)
def test_the_doubt_about_an_app_names_what_decides_it(applications: PolicyApplications, words: str) -> None:
    assert answer(policy(applications=applications), Situation(app=PLANNER)).doubts == words


def test_an_app_of_the_tenant_that_was_not_read_may_be_in_the_suite() -> None:
    one = policy(applications=PolicyApplications(include=(SUITE,)))
    graph = tenant(one, unread={Resource.APPLICATIONS: "no consent"})

    assert asked(graph, Situation(app=PAYROLL.app_id)).policies[0].applies is Applies.CANNOT_TELL


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"platforms": IncludeExclude(include=("iOS",))}, ("devicePlatform",)),
        ({"users": PolicyUsers(include_users=("All",), exclude_users=("ada",))}, ("excluded_user",)),
        ({"state": PolicyState.DISABLED}, ("policyNotEnabled", "notEnoughInformation")),
    ],
)
def test_what_a_suite_contains_does_not_matter_where_something_fails_for_certain(
    changed: Mapping[str, object], expected: tuple[str, ...]
) -> None:
    one = replace(policy(applications=PolicyApplications(include=(SUITE,))), **changed)  # type: ignore[arg-type] # table

    found = answer(one, Situation(app=PLANNER))

    assert (found.applies, codes(found)) == (Applies.NO, expected)


OF_SUITE = PolicyApplications(include=(SUITE,))
UNCLEAR = "whether Office365 contains the app is not known."
ONLY_DEVICE = Grant(built_in_controls=("compliantDevice",))
MFA_OR_DEVICE = Grant(operator="OR", built_in_controls=("mfa", "compliantDevice"))


@pytest.mark.parametrize(
    ("policies", "result", "because"),
    [
        ((MFA,), SignIn.UNKNOWN, f'It cannot be told whether "Policy suite" demands MFA: {UNCLEAR}'),
        ((BLOCK,), SignIn.UNKNOWN, f'It cannot be told whether "Policy suite" blocks this sign-in: {UNCLEAR}'),
        ((MFA, MFA), SignIn.MFA, 'MFA is demanded by "Policy all".'),
        ((MFA, BLOCK), SignIn.BLOCK, 'This sign-in is blocked by "Policy all".'),
        ((None,), SignIn.OPEN, "Nothing asks for MFA: the password is enough."),
        (
            (ONLY_DEVICE,),
            SignIn.OPEN,
            "Nothing is known to be demanded. "
            f'It cannot be told whether "Policy suite" demands a compliant device: {UNCLEAR}',
        ),
        (
            (ONLY_DEVICE, ONLY_DEVICE),
            SignIn.OPEN,
            'No MFA is asked for: "Policy all" demands a compliant device. '
            'An unmanaged device is turned away by "Policy all". '
            f'It cannot be told whether "Policy suite" demands a compliant device: {UNCLEAR}',
        ),
        (
            (MFA_OR_DEVICE, ONLY_DEVICE),
            SignIn.OPEN,
            'MFA is not certain: "Policy all" demands a compliant device. '
            'An unmanaged device is turned away by "Policy all". '
            f'It cannot be told whether "Policy suite" demands MFA or a compliant device: {UNCLEAR}',
        ),
    ],
)
def test_a_doubt_about_a_suite_is_said_and_never_taken_for_an_open_door(
    policies: tuple[Grant | None, ...], result: SignIn, because: str
) -> None:
    """The first grant is of a policy for Office365, the second of one for every app."""
    of = (policy("suite", applications=OF_SUITE), policy("all"))
    given = (replace(one, grant=grant) for one, grant in zip(of, policies, strict=False))

    found = of_ada(*given, situation=Situation(app=PLANNER)).outcome

    assert (found.result, found.because) == (result, because)


def test_a_filter_for_apps_leaves_an_app_open_that_nothing_else_decides() -> None:
    excluded = policy(applications=replace(FILTERED, filter_mode="include", include=(), exclude=("app-1",)))

    assert answer(excluded, Situation(app="app-1")).applies is Applies.NO
    assert answer(excluded, Situation(app="app-2")).applies is Applies.CANNOT_TELL
    assert answer(excluded).applies is Applies.NO


COMPLIANT, HYBRID = 'device.isCompliant -eq "True"', 'device.trustType -eq "ServerAD"'


@pytest.mark.parametrize(
    ("rule", "unmanaged", "compliant", "hybrid"),
    [
        (COMPLIANT, False, True, None),
        ("device.isCompliant -ne True", True, False, None),
        (HYBRID, False, None, True),
        ('device.trustType -in ["AzureAD", "ServerAD"]', False, None, True),
        ('device.trustType -notIn ["AzureAD", "ServerAD"]', True, None, False),
        ('device.trustType -eq "AzureAD"', False, None, False),
        ("device.trustType -ne null", False, None, True),
        (f"{COMPLIANT} -or {HYBRID}", False, True, True),
        (f"{COMPLIANT} -and {HYBRID}", False, None, None),
        (f'{COMPLIANT} -and device.trustType -eq "Workplace"', False, None, False),
        (f"-not ({COMPLIANT})", True, False, None),
        ('device.model -startsWith "Surface"', False, None, None),
        ('device.isCompliant -contains "True"', False, None, None),
        ("device.isCompliant -near 1", None, None, None),
    ],
)
def test_a_filter_for_devices_is_decided_by_what_is_given_of_the_device(
    rule: str, *, unmanaged: bool | None, compliant: bool | None, hybrid: bool | None
) -> None:
    one = replace(policy(), device_filter=DeviceFilter(mode="include", rule=rule))
    told = {True: Applies.YES, False: Applies.NO, None: Applies.CANNOT_TELL}

    found = [answer(one, Situation(device=device)).applies for device in Device]
    turned = [
        answer(replace(one, device_filter=DeviceFilter(mode="exclude", rule=rule)), Situation(device=device)).applies
        for device in Device
    ]

    assert found == [told[matches] for matches in (unmanaged, compliant, hybrid)]
    assert turned == [told[None if matches is None else not matches] for matches in (unmanaged, compliant, hybrid)]


# --- what the sign-in comes to ---


DEVICE = policy("device", grant=Grant(operator="OR", built_in_controls=("compliantDevice", "domainJoinedDevice")))
LEGACY = Situation(client=ClientApp.EXCHANGE_ACTIVE_SYNC)


@pytest.mark.parametrize(
    ("policies", "where", "result", "because"),
    [
        ((), BASELINE, SignIn.OPEN, "Nothing asks for MFA: the password is enough."),
        ((policy(grant=None),), BASELINE, SignIn.OPEN, "Nothing asks for MFA: the password is enough."),
        ((policy(),), BASELINE, SignIn.MFA, 'MFA is demanded by "Policy mfa".'),
        (
            (policy(), policy("block", grant=BLOCK)),
            BASELINE,
            SignIn.BLOCK,
            'This sign-in is blocked by "Policy block".',
        ),
        (
            (policy(), policy("block", grant=BLOCK)),
            LEGACY,
            SignIn.BLOCK,
            'This sign-in is blocked by "Policy block".',
        ),
        (
            (policy(),),
            LEGACY,
            SignIn.BLOCK,
            'A legacy client can do nothing that a policy demands, so it is blocked by "Policy mfa".',
        ),
        (
            (DEVICE,),
            LEGACY,
            SignIn.BLOCK,
            'A legacy client can do nothing that a policy demands, so it is blocked by "Policy device".',
        ),
        (
            (policy(grant=None),),
            LEGACY,
            SignIn.OPEN,
            "Nothing asks for MFA: the password is enough.",
        ),
        (
            (OR_DEVICE,),
            BASELINE,
            SignIn.OPEN,
            'MFA is not certain: "Policy mfa" demands MFA or a compliant device. '
            "An unmanaged device has to do MFA, a managed one need not.",
        ),
        (
            (OR_DEVICE,),
            Situation(device=Device.COMPLIANT),
            SignIn.OPEN,
            'MFA is not certain: "Policy mfa" demands MFA or a compliant device.',
        ),
        (
            (DEVICE,),
            BASELINE,
            SignIn.OPEN,
            'No MFA is asked for: "Policy device" demands a compliant device or a hybrid joined device. '
            'An unmanaged device is turned away by "Policy device".',
        ),
        (
            (DEVICE,),
            Situation(device=Device.HYBRID),
            SignIn.OPEN,
            'No MFA is asked for: "Policy device" demands a compliant device or a hybrid joined device.',
        ),
        (
            (policy(), DEVICE),
            BASELINE,
            SignIn.MFA,
            'MFA is demanded by "Policy mfa". An unmanaged device is turned away by "Policy device".',
        ),
        (
            (policy(grant=Grant(built_in_controls=("compliantDevice",), terms_of_use=("terms",))),),
            BASELINE,
            SignIn.OPEN,
            'No MFA is asked for: "Policy mfa" demands a compliant device or terms of use.',
        ),
        (
            (policy(grant=Grant(operator="AND", built_in_controls=("compliantDevice",), terms_of_use=("terms",))),),
            BASELINE,
            SignIn.OPEN,
            'No MFA is asked for: "Policy mfa" demands a compliant device and terms of use. '
            'An unmanaged device is turned away by "Policy mfa".',
        ),
        (
            (policy(grant=Grant(built_in_controls=("mfa",), terms_of_use=("terms",))),),
            BASELINE,
            SignIn.OPEN,
            'MFA is not certain: "Policy mfa" demands MFA or terms of use.',
        ),
    ],
)
def test_the_sign_in_comes_to_one_result_with_its_sentence(
    policies: tuple[ConditionalAccessPolicy, ...], where: Situation, result: SignIn, because: str
) -> None:
    found = of_ada(*policies, situation=where).outcome

    assert (found.result, found.because) == (result, because)


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (None, "nothing"),
        (Grant(), "nothing"),
        (BLOCK, "a block"),
        (MFA, "MFA"),
        (Grant(operator="AND", built_in_controls=("mfa", "compliantDevice")), "MFA and a compliant device"),
        (
            Grant(operator="OR", built_in_controls=("domainJoinedDevice",), custom_controls=("duo",)),
            "a hybrid joined device or the custom control duo",
        ),
        (Grant(authentication_strength_id="strong"), 'the authentication strength "Phishing-resistant"'),
        (Grant(authentication_strength_id="gone"), 'the authentication strength "gone"'),
        (Grant(built_in_controls=("somethingNew",)), "somethingNew"),
    ],
)
def test_a_demand_is_told_in_words(grant: Grant | None, words: str) -> None:
    assert answer(policy(grant=grant)).demands == words


def test_a_strength_that_is_not_known_leaves_the_sign_in_open_to_doubt() -> None:
    found = of_ada(policy(grant=Grant(authentication_strength_id="gone")))

    assert found.outcome == Outcome(
        SignIn.UNKNOWN,
        'It cannot be told whether "Policy mfa" demands MFA: its authentication strength is not known.',
    )
    assert of_ada(policy(grant=Grant(authentication_strength_id="gone")), policy("sure")).outcome.result is SignIn.MFA


def test_whether_a_policy_applies_and_what_it_demands_may_both_be_unknown() -> None:
    unclear = policy(
        users=PolicyUsers(include_groups=("staff",)), grant=Grant(authentication_strength_id="gone"), key="unclear"
    )

    assert asked(tenant(unclear, unread={Resource.GROUP_MEMBERS: "no consent"})).outcome.result is SignIn.UNKNOWN


def test_mfa_that_security_defaults_may_ask_for_does_not_settle_a_doubt_about_a_policy() -> None:
    graph = tenant(policy(grant=Grant(authentication_strength_id="gone")), security_defaults=True)

    assert asked(graph).outcome == asked(graph).by_policies


def test_mfa_as_one_way_among_others_is_offered_and_not_certain() -> None:
    assert of_ada(OR_DEVICE).outcome.offered
    assert asked(tenant(security_defaults=True)).outcome.offered
    assert not of_ada(DEVICE).outcome.offered


def test_a_report_only_policy_says_what_it_would_do_and_does_nothing() -> None:
    found = of_ada(policy(state=PolicyState.REPORT_ONLY, grant=BLOCK))
    (one,) = found.policies

    assert (one.applies, one.if_enabled, one.demands) == (Applies.NO, Applies.YES, "a block")
    assert found.outcome.result is SignIn.OPEN


NEITHER = "No policy makes sure of MFA, and whether anything else does cannot be told: "
UNREAD_DEFAULTS, UNREAD_ROLES = {Resource.SECURITY_DEFAULTS: "no consent"}, {Resource.ROLE_MEMBERS: "no consent"}


@pytest.mark.parametrize(
    ("policies", "role", "unread", "result", "because"),
    [
        (
            (),
            GLOBAL_ADMIN,
            {},
            SignIn.MFA,
            "MFA is demanded: security defaults ask administrators for MFA at every sign-in.",
        ),
        (
            (),
            READER,
            {},
            SignIn.OPEN,
            "MFA is not certain: security defaults ask for MFA only when Microsoft finds it necessary.",
        ),
        ((policy(),), READER, {}, SignIn.MFA, 'MFA is demanded by "Policy mfa".'),
        ((policy(),), READER, UNREAD_DEFAULTS, SignIn.MFA, 'MFA is demanded by "Policy mfa".'),
        (
            (),
            READER,
            UNREAD_DEFAULTS,
            SignIn.UNKNOWN,
            f"{NEITHER}securityDefaults could not be read: no consent.",
        ),
        (
            (),
            GLOBAL_ADMIN,
            UNREAD_ROLES,
            SignIn.UNKNOWN,
            f"{NEITHER}directoryRoleMembers could not be read: no consent.",
        ),
    ],
)
def test_security_defaults_count_where_policies_give_less_than_mfa(
    policies: tuple[ConditionalAccessPolicy, ...],
    role: str,
    unread: Mapping[Resource, str],
    result: SignIn,
    because: str,
) -> None:
    found = asked(tenant(*policies, security_defaults=True, roles=((role, "ada"),), unread=unread)).outcome

    assert (found.result, found.because) == (result, because)


def test_security_defaults_block_legacy_clients() -> None:
    found = asked(tenant(security_defaults=True), LEGACY).outcome

    assert (found.result, found.because) == (SignIn.BLOCK, "Security defaults block legacy clients.")


ENFORCED = replace(user(), per_user_mfa=PerUserMfa.ENFORCED)


@pytest.mark.parametrize(
    ("policies", "where", "result", "because"),
    [
        ((), BASELINE, SignIn.MFA, "MFA is demanded: per-user MFA is enforced."),
        (
            (),
            LEGACY,
            SignIn.MFA,
            "MFA is demanded: per-user MFA is enforced. A legacy client gets in with an app password only.",
        ),
        ((policy(grant=BLOCK),), BASELINE, SignIn.BLOCK, 'This sign-in is blocked by "Policy mfa".'),
        (
            (policy(grant=Grant(authentication_strength_id="gone")),),
            BASELINE,
            SignIn.MFA,
            "MFA is demanded: per-user MFA is enforced.",
        ),
    ],
)
def test_per_user_mfa_counts_where_policies_give_less_than_mfa(
    policies: tuple[ConditionalAccessPolicy, ...], where: Situation, result: SignIn, because: str
) -> None:
    found = asked(tenant(*policies, users=(ENFORCED,)), where).outcome

    assert (found.result, found.because) == (result, because)


def test_per_user_mfa_settles_no_doubt_about_a_block() -> None:
    by_group = policy("group", users=PolicyUsers(include_groups=("staff",)), grant=BLOCK)
    graph = tenant(by_group, users=(ENFORCED,), unread={Resource.GROUP_MEMBERS: "no consent"})

    assert asked(graph).outcome.result is SignIn.UNKNOWN


@pytest.mark.parametrize(
    ("enabled", "grant", "result", "because"),
    [
        (False, MFA, SignIn.BLOCK, "The account is disabled: nobody can sign in to it."),
        (None, MFA, SignIn.UNKNOWN, "Whether the account is enabled was not read."),
        (None, BLOCK, SignIn.BLOCK, 'This sign-in is blocked by "Policy mfa".'),
    ],
)
def test_a_disabled_account_gets_in_nowhere_and_one_of_unknown_state_is_not_guessed(
    *, enabled: bool | None, grant: Grant, result: SignIn, because: str
) -> None:
    found = asked(tenant(policy(grant=grant), users=(user(enabled=enabled),)))

    assert (found.outcome.result, found.outcome.because) == (result, because)
    assert found.policies[0].applies is Applies.YES


@pytest.mark.parametrize("resource", [Resource.USERS, Resource.POLICIES])
def test_without_users_or_policies_nothing_can_be_told(resource: Resource) -> None:
    found = asked(tenant(policy(), unread={resource: "no consent"})).outcome

    assert (found.result, found.because) == (
        SignIn.UNKNOWN,
        f"Nothing can be told: {resource.value} could not be read: no consent.",
    )
