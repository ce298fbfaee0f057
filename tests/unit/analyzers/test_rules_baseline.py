"""What a tenant's policies as a whole leave open: problem, ok and cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from analyzers.coverage.matching import LEGACY_CLIENTS
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    DeviceFilter,
    Grant,
    IncludeExclude,
    NamedLocation,
    PolicyApplications,
    PolicyUsers,
)
from pipeline.domain.entities import EntityType, Group, Identity, License
from pipeline.domain.findings import THE_TENANT, AlertType, Severity, Skip
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind
from tests.unit.analyzers import brute, build
from tests.unit.analyzers.build import BLOCK, GLOBAL_ADMIN, NOW, ago, tenant, user
from tests.unit.analyzers.judging import exempting, found, judged, single, untold
from tests.unit.analyzers.test_coverage_properties import tenants

NO_BASELINE = AlertType.NO_SECURITY_BASELINE
LEGACY = AlertType.LEGACY_AUTH_NOT_BLOCKED
DEVICE_CODE = AlertType.DEVICE_CODE_FLOW_NOT_BLOCKED
GUESTS = AlertType.GUEST_MFA_MISSING
UNUSED = AlertType.CA_LICENSED_UNUSED
NO_CONSENT = "no consent"

ADA, BOB = user(), user("bob")
WORKLOADS = replace(build.policy("workloads"), workload_identities_only=True)
NOT_ADA = PolicyUsers(include_users=("All",), exclude_users=("ada",))
NOT_STAFF = PolicyUsers(include_users=("All",), exclude_groups=("staff",))
ABROAD = IncludeExclude(include=("All",), exclude=("AllTrusted",))


# no_security_baseline


@pytest.mark.parametrize("policies", [(), (build.policy(state="disabled"),), (WORKLOADS,)])
def test_without_security_defaults_or_an_enabled_policy_there_is_no_baseline(
    policies: tuple[ConditionalAccessPolicy, ...],
) -> None:
    assert found(NO_BASELINE, tenant(*policies)) == [(THE_TENANT, "", Severity.CRITICAL)]


def test_no_baseline_says_what_it_means() -> None:
    finding = single(NO_BASELINE, tenant())

    assert finding.entity_type is EntityType.TENANTS
    assert finding.reasons == ("no_enabled_policy", "security_defaults_off")
    assert finding.message == (
        "Security defaults are off and no conditional access policy is enabled, so a password alone is enough to "
        "sign in to any account."
    )


@pytest.mark.parametrize("graph", [tenant(build.policy(grant=None)), tenant(security_defaults=True)])
def test_any_enabled_policy_or_security_defaults_are_a_baseline(graph: TenantGraph) -> None:
    result = judged(NO_BASELINE, graph)

    assert (result.findings, result.not_evaluated) == ((), ())


@pytest.mark.parametrize("missing", [Resource.POLICIES, Resource.SECURITY_DEFAULTS])
def test_a_baseline_is_told_only_from_complete_input(missing: Resource) -> None:
    assert untold(NO_BASELINE, tenant(unread={missing: NO_CONSENT})) == [
        ("", f"{missing.value} could not be read: no consent")
    ]


def test_security_defaults_that_were_not_in_the_answer_leave_the_baseline_untold() -> None:
    graph = replace(tenant(), security_defaults=None)

    assert untold(NO_BASELINE, graph) == [("", "whether security defaults are on was not read")]


# legacy_auth_not_blocked


@pytest.mark.parametrize("policies", [(), (build.policy(client_app_types=("browser",)),), (build.policy(grant=None),)])
def test_nothing_that_blocks_legacy_clients_is_critical_for_the_tenant(
    policies: tuple[ConditionalAccessPolicy, ...],
) -> None:
    finding = single(LEGACY, tenant(*policies))

    assert (finding.external_id, finding.severity) == (THE_TENANT, Severity.CRITICAL)
    assert finding.reasons == ("no_policy_blocks",)
    assert finding.evidence == {"policy_ids": [], "excluded_by": []}
    assert finding.message == (
        "Nothing blocks legacy clients, which know no MFA: security defaults are off and no enabled conditional access "
        "policy does for anybody."
    )


@pytest.mark.parametrize(
    "policy",
    [
        build.policy(grant=BLOCK, client_app_types=("exchangeActiveSync", "other")),
        build.policy(),
        build.policy(grant=Grant(built_in_controls=("compliantDevice",))),
        build.policy(grant=Grant(authentication_strength_id="weak")),
    ],
)
def test_any_grant_control_blocks_legacy_clients(policy: ConditionalAccessPolicy) -> None:
    result = judged(LEGACY, tenant(policy, strengths=(AuthenticationStrength(id="weak"),)))

    assert (result.findings, result.not_evaluated) == ((), ())
    assert [one.items for one in result.rules] == [1]


def test_security_defaults_block_legacy_clients_for_everybody() -> None:
    assert found(LEGACY, tenant(security_defaults=True)) == []


def test_users_left_out_of_the_block_are_named_with_what_left_them_out() -> None:
    graph = tenant(
        build.policy("a", users=NOT_STAFF),
        users=(ADA, BOB, user("eve", enabled=False)),
        groups=(Group(id="staff"),),
        members=(("staff", "ada"), ("staff", "eve")),
    )

    finding = single(LEGACY, graph)

    assert finding.reasons == ("some_users_left_out",)
    assert finding.evidence == {"policy_ids": ["a"], "excluded_by": ["a:excluded_group:staff"]}
    assert finding.message == "Legacy clients, which know no MFA, are not blocked for Ada (ada@contoso.com)."


@pytest.mark.parametrize(
    "policy",
    [
        build.policy(locations=ABROAD),
        build.policy(applications=PolicyApplications(include=("All",), exclude=("app",))),
        build.policy(client_app_types=("other",)),
    ],
)
def test_a_block_in_some_situations_only_leaves_legacy_clients_open(policy: ConditionalAccessPolicy) -> None:
    finding = single(LEGACY, tenant(policy))

    assert finding.reasons == ("some_situations_open",)
    assert finding.evidence == {"policy_ids": ["mfa"], "excluded_by": []}


def test_policies_that_block_legacy_clients_together_are_enough() -> None:
    kinds = (("exchangeActiveSync",), ("other",))
    policies = [build.policy(kind, grant=BLOCK, client_app_types=(kind,)) for (kind,) in kinds]

    assert found(LEGACY, tenant(*policies)) == []


def test_both_kinds_of_gap_are_told_apart_and_long_lists_cut_short() -> None:
    abroad = build.policy("abroad", users=PolicyUsers(include_users=("bob",)), locations=ABROAD)
    people = [user(f"u{number}") for number in range(5)]

    finding = single(LEGACY, tenant(abroad, users=(BOB, *people)))

    assert finding.reasons == ("some_situations_open", "some_users_left_out")
    assert finding.message == (
        "Legacy clients, which know no MFA, are not blocked for U0 (u0@contoso.com), U1 (u1@contoso.com), "
        "U2 (u2@contoso.com) and others, and in some situations for Bob (bob@contoso.com)."
    )


def test_an_account_that_is_open_for_the_first_time_changes_no_evidence_but_a_new_exclusion_does() -> None:
    before = single(LEGACY, tenant(build.policy(users=NOT_ADA), users=(ADA, BOB)))
    hired = single(LEGACY, tenant(build.policy(users=NOT_ADA), users=(ADA, BOB, user("eve"))))
    wider = replace(NOT_ADA, exclude_users=("ada", "bob"))
    after = single(LEGACY, tenant(build.policy(users=wider), users=(ADA, BOB)))

    assert before.evidence_hash == hired.evidence_hash != after.evidence_hash


@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE])
def test_emergency_and_disabled_accounts_may_stay_open(alert_type: AlertType) -> None:
    block = build.policy(grant=BLOCK, users=NOT_ADA)
    state = exempting(ExemptionKind.BREAK_GLASS, "ada")

    assert found(alert_type, tenant(block, users=(ADA, BOB)), state=state) == []
    assert found(alert_type, tenant(block, users=(user(enabled=False), BOB))) == []
    assert found(alert_type, tenant(users=(user(enabled=False),))) == []


SCANNER = user("scanner", user_type="Guest")


@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE, GUESTS])
def test_an_accepted_account_counts_for_no_alert_about_the_tenant(alert_type: AlertType) -> None:
    graph = tenant(
        build.policy(grant=BLOCK, users=NOT_STAFF),
        users=(ADA, SCANNER),
        groups=(Group(id="staff"),),
        members=(("staff", "scanner"),),
    )

    assert found(alert_type, graph)
    for state in (
        exempting(ExemptionKind.USER, "scanner"),
        exempting(ExemptionKind.USER, "scanner", alert_type),
        exempting(ExemptionKind.GROUP, "staff"),
    ):
        assert found(alert_type, graph, state=state) == []
    assert found(alert_type, graph, state=exempting(ExemptionKind.USER, "scanner", NO_BASELINE))


@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE])
def test_what_was_read_and_does_not_tell_is_a_doubt_and_no_missing_input(alert_type: AlertType) -> None:
    odd = replace(build.policy(grant=BLOCK), device_filter=DeviceFilter(mode="include", rule="nonsense"))
    cut = tenant(build.policy(grant=BLOCK, users=NOT_STAFF), unread={Resource.GROUP_MEMBERS: NO_CONSENT})

    assert [one.skipped_because for one in judged(alert_type, tenant(odd)).rules] == [Skip.DOUBT]
    assert [one.skipped_because for one in judged(alert_type, cut).rules] == [Skip.INPUT]


@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE, GUESTS])
@pytest.mark.parametrize("missing", [Resource.USERS, Resource.POLICIES])
def test_openings_are_told_only_from_complete_input(alert_type: AlertType, missing: Resource) -> None:
    result = judged(alert_type, tenant(unread={missing: NO_CONSENT}))

    assert (result.findings, len(result.not_evaluated)) == ((), 1)


def test_legacy_clients_hang_on_security_defaults_only_where_policies_leave_somebody_open() -> None:
    unread = {Resource.SECURITY_DEFAULTS: NO_CONSENT}

    assert untold(LEGACY, tenant(build.policy(), unread=unread)) == []
    assert untold(LEGACY, tenant(unread=unread)) == [("", "securityDefaults could not be read: no consent")]
    assert untold(LEGACY, replace(tenant(), security_defaults=None)) == [
        ("", "whether security defaults are on was not read")
    ]


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        (build.policy(grant=BLOCK, users=NOT_STAFF), Resource.GROUP_MEMBERS),
        (build.policy(grant=BLOCK, users=PolicyUsers(include_roles=(GLOBAL_ADMIN,))), Resource.ROLE_MEMBERS),
        (build.policy(grant=BLOCK, locations=IncludeExclude(include=("office",))), Resource.NAMED_LOCATIONS),
    ],
)
@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE])
def test_an_unread_input_that_could_close_every_gap_is_no_finding(
    alert_type: AlertType, policy: ConditionalAccessPolicy, missing: Resource
) -> None:
    graph = tenant(policy, locations=(NamedLocation(id="office"),), unread={missing: NO_CONSENT})

    assert untold(alert_type, graph) == [("", f"{missing.value} could not be read: no consent")]
    assert found(alert_type, graph) == []


@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE])
def test_an_unread_input_that_could_close_only_a_part_hides_nothing(alert_type: AlertType) -> None:
    partial = build.policy(grant=BLOCK, users=NOT_STAFF, locations=ABROAD)

    assert found(alert_type, tenant(partial, unread={Resource.GROUP_MEMBERS: NO_CONSENT}))


@pytest.mark.parametrize("alert_type", [LEGACY, DEVICE_CODE])
@pytest.mark.parametrize("policies", [(), (build.policy(grant=BLOCK, users=NOT_ADA),)])
def test_whether_an_account_is_enabled_matters_only_where_it_is_open(
    alert_type: AlertType, policies: tuple[ConditionalAccessPolicy, ...]
) -> None:
    unclear = user(enabled=None)

    assert untold(alert_type, tenant(*policies, users=(unclear,), licenses=(PREMIUM,))) == [
        ("", "whether the account is enabled was not read")
    ]
    assert untold(alert_type, tenant(build.policy(grant=BLOCK), users=(unclear,))) == []


def test_an_open_account_is_told_although_another_is_not() -> None:
    assert found(LEGACY, tenant(users=(ADA, user("bob", enabled=None)))) == [(THE_TENANT, "", Severity.CRITICAL)]


def legacy_open(graph: TenantGraph, who: Identity) -> bool:
    places = [one for one in brute.situations(graph) if one[1] in LEGACY_CLIENTS]
    return bool(who.enabled) and any(brute.outcome(who, one, graph) != "BLOCK" for one in places)


def modern_open(graph: TenantGraph, who: Identity) -> bool:
    places = [one for one in brute.situations(graph) if one[1] not in LEGACY_CLIENTS]
    return bool(who.enabled) and any(brute.outcome(who, one, graph) != "BLOCK" for one in places)


@given(tenants())
@settings(max_examples=200, deadline=None)
def test_a_plain_evaluator_over_all_situations_agrees_on_who_is_open(graph: TenantGraph) -> None:
    defaults = graph.security_defaults is not None and graph.security_defaults.enabled
    people = graph.identities.values()

    assert bool(found(LEGACY, graph)) is (not defaults and any(legacy_open(graph, one) for one in people))
    premium = replace(graph, licenses={PREMIUM.id: PREMIUM})
    assert bool(found(DEVICE_CODE, premium)) is any(modern_open(graph, one) for one in people)


# device_code_flow_not_blocked


def during(flow: str, policy: ConditionalAccessPolicy) -> ConditionalAccessPolicy:
    return replace(policy, authentication_flows=(flow,))


BLOCKS_FLOW = during("deviceCodeFlow", build.policy(grant=BLOCK))


@pytest.mark.parametrize(
    "policies",
    [
        (),
        (build.policy(),),
        (during("deviceCodeFlow", build.policy()),),
        (during("authenticationTransfer", build.policy(grant=BLOCK)),),
        (replace(BLOCKS_FLOW, state="enabledForReportingButNotEnforced"),),
    ],
)
def test_nothing_but_a_block_of_the_device_code_flow_stops_it(policies: tuple[ConditionalAccessPolicy, ...]) -> None:
    finding = single(DEVICE_CODE, tenant(*policies, licenses=(PREMIUM,)))

    assert (finding.external_id, finding.severity) == (THE_TENANT, Severity.HIGH)
    assert finding.reasons == ("no_policy_blocks",)
    assert finding.message == (
        "No enabled conditional access policy blocks the device code flow for anybody; phishing uses it to get around "
        "MFA."
    )


def test_security_defaults_do_not_block_the_device_code_flow() -> None:
    graph = tenant(security_defaults=True, licenses=(PREMIUM,))

    assert found(DEVICE_CODE, graph) == [(THE_TENANT, "", Severity.HIGH)]


def test_a_tenant_that_can_have_no_policies_is_not_told_to_block_the_device_code_flow() -> None:
    basic = replace(PREMIUM, service_plan_ids=())

    assert found(DEVICE_CODE, tenant(security_defaults=True, licenses=(basic,))) == []
    assert found(DEVICE_CODE, tenant(unread={Resource.SKUS: NO_CONSENT})) == [(THE_TENANT, "", Severity.HIGH)]


@pytest.mark.parametrize(
    "policy",
    [
        BLOCKS_FLOW,
        build.policy(grant=BLOCK),
        replace(BLOCKS_FLOW, client_app_types=("browser", "mobileAppsAndDesktopClients")),
        replace(BLOCKS_FLOW, authentication_flows=("deviceCodeFlow", "authenticationTransfer")),
    ],
)
def test_a_block_of_the_flow_for_everybody_is_enough(policy: ConditionalAccessPolicy) -> None:
    assert found(DEVICE_CODE, tenant(policy)) == []


def test_a_block_of_the_device_code_flow_is_no_block_of_an_ordinary_sign_in() -> None:
    assert found(AlertType.MFA_NOT_ENFORCED, tenant(BLOCKS_FLOW)) == [("ada", "", Severity.HIGH)]


def test_the_device_code_flow_is_open_to_those_left_out_of_the_block() -> None:
    finding = single(DEVICE_CODE, tenant(replace(BLOCKS_FLOW, users=NOT_ADA), users=(ADA, BOB)))

    assert finding.reasons == ("some_users_left_out",)
    assert finding.evidence == {"policy_ids": ["mfa"], "excluded_by": ["mfa:excluded_user:ada"]}
    assert finding.message == (
        "The device code flow, which phishing uses to get around MFA, is not blocked for Ada (ada@contoso.com)."
    )


def test_the_device_code_flow_is_open_where_the_block_leaves_a_place_out() -> None:
    finding = single(DEVICE_CODE, tenant(replace(BLOCKS_FLOW, locations=ABROAD)))

    assert finding.reasons == ("some_situations_open",)


# guest_mfa_missing

GUEST = user("gus", user_type="Guest", upn="gus_fabrikam.com#EXT#@contoso.com")
INTERNAL = user("ivy", user_type="Guest")


@pytest.mark.parametrize("guest", [GUEST, INTERNAL])
@pytest.mark.parametrize("policies", [(), (build.policy(locations=ABROAD),)])
def test_a_guest_without_full_mfa_is_high_for_the_tenant(
    guest: Identity, policies: tuple[ConditionalAccessPolicy, ...]
) -> None:
    assert found(GUESTS, tenant(*policies, users=(ADA, guest))) == [(THE_TENANT, "", Severity.HIGH)]


def test_guests_share_one_finding_with_the_reasons_of_all() -> None:
    mfa = build.policy(users=PolicyUsers(include_users=("All",), exclude_users=("gus",)), locations=ABROAD)

    finding = single(GUESTS, tenant(mfa, users=(GUEST, INTERNAL)))

    assert finding.reasons == ("excluded_user", "location", "trusted_location_gap")
    assert finding.evidence == {"policy_ids": ["mfa"]}
    assert finding.message == (
        "Guests can sign in without MFA, at least in some situations: "
        "Gus (gus_fabrikam.com#EXT#@contoso.com), Ivy (ivy@contoso.com)."
    )


def test_guests_with_full_mfa_disabled_or_blocked_are_fine() -> None:
    assert found(GUESTS, tenant(build.policy(), users=(GUEST, INTERNAL))) == []
    assert found(GUESTS, tenant(build.policy(grant=BLOCK), users=(GUEST,))) == []
    assert found(GUESTS, tenant(users=(replace(GUEST, enabled=False),))) == []


def test_a_tenant_without_guests_is_fine_whatever_its_members_do() -> None:
    result = judged(GUESTS, tenant(users=(ADA, user("eve", upn="eve_fabrikam.com#EXT#@contoso.com"))))

    assert (result.findings, result.not_evaluated) == ((), ())
    assert [one.items for one in result.rules] == [0]


def test_a_guest_account_for_emergencies_is_left_alone() -> None:
    assert found(GUESTS, tenant(users=(GUEST,)), state=exempting(ExemptionKind.BREAK_GLASS, "gus")) == []


@pytest.mark.parametrize(
    ("guest", "reason"),
    [
        (replace(GUEST, enabled=None), "whether the account is enabled was not read"),
        (replace(GUEST, user_type=None), "whether an account is a guest was not read"),
    ],
)
def test_a_guest_that_cannot_be_told_leaves_the_tenant_untold(guest: Identity, reason: str) -> None:
    assert untold(GUESTS, tenant(users=(guest,))) == [("", reason)]
    assert found(GUESTS, tenant(users=(guest, INTERNAL))) == [(THE_TENANT, "", Severity.HIGH)]


def test_an_account_with_full_mfa_is_fine_whether_or_not_it_is_a_guest() -> None:
    assert untold(GUESTS, tenant(build.policy(), users=(replace(GUEST, user_type=None),))) == []


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        (build.policy(users=NOT_STAFF), Resource.GROUP_MEMBERS),
        (build.policy(locations=IncludeExclude(include=("office",))), Resource.NAMED_LOCATIONS),
        (build.policy(grant=Grant(authentication_strength_id="s")), Resource.AUTHENTICATION_STRENGTHS),
        (build.policy(grant=None), Resource.SECURITY_DEFAULTS),
    ],
)
def test_guests_are_untold_without_what_decides(policy: ConditionalAccessPolicy, missing: Resource) -> None:
    graph = tenant(policy, users=(GUEST,), unread={missing: NO_CONSENT})

    assert untold(GUESTS, graph) == [("", f"{missing.value} could not be read: no consent")]


# ca_licensed_unused

P1, P2 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d", "eec0eb4f-6444-4f95-aba0-50c24d67f998"
PREMIUM = License(id="e3", part_number="SPE_E3", enabled_units=10, service_plan_ids=("other", P1))


@pytest.mark.parametrize(
    ("sku", "paid"),
    [
        (PREMIUM, True),
        (replace(PREMIUM, service_plan_ids=(P2,)), True),
        (replace(PREMIUM, capability_status="Warning", enabled_units=0, warning_units=1), True),
        (replace(PREMIUM, service_plan_ids=("other",)), False),
        (replace(PREMIUM, capability_status="Suspended"), False),
        (replace(PREMIUM, enabled_units=0), False),
        (replace(PREMIUM, enabled_units=0, suspended_units=5), False),
    ],
)
def test_premium_seats_without_an_enabled_policy_are_high_for_the_tenant(sku: License, *, paid: bool) -> None:
    expected = [(THE_TENANT, "", Severity.HIGH)] if paid else []

    for policies in ((), (build.policy(state="disabled"),), (WORKLOADS,)):
        assert found(UNUSED, tenant(*policies, licenses=(sku,))) == expected
    assert found(UNUSED, tenant(build.policy(), licenses=(sku,))) == []


def test_unused_premium_names_the_products_and_not_the_number_of_seats() -> None:
    skus = (PREMIUM, replace(PREMIUM, id="p", part_number="AAD_PREMIUM"), License(id="visio", enabled_units=1))

    finding = single(UNUSED, tenant(licenses=skus))
    grown = single(UNUSED, tenant(licenses=(replace(PREMIUM, enabled_units=11), *skus[1:])))

    assert finding.evidence == {"sku_part_numbers": ["AAD_PREMIUM", "SPE_E3"]}
    assert finding.reasons == ("no_enabled_policy",)
    assert finding.message == (
        "The tenant pays for conditional access with AAD_PREMIUM, SPE_E3, but no conditional access policy is enabled."
    )
    assert finding.evidence_hash == grown.evidence_hash


@pytest.mark.parametrize("missing", [Resource.POLICIES, Resource.SKUS])
def test_unused_premium_is_told_only_from_complete_input(missing: Resource) -> None:
    result = judged(UNUSED, tenant(licenses=(PREMIUM,), unread={missing: NO_CONSENT}))

    assert (result.findings, len(result.not_evaluated)) == ((), 1)


@pytest.mark.parametrize("alert_type", [NO_BASELINE, LEGACY, DEVICE_CODE, GUESTS, UNUSED])
def test_nothing_about_a_tenant_moves_with_the_clock(alert_type: AlertType) -> None:
    graph = tenant(users=(ADA, GUEST), licenses=(PREMIUM,))

    assert single(alert_type, graph, ago(30)) == single(alert_type, graph, NOW)
