"""The examples the specification pins: all users, all apps, grant MFA, changed by one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers.coverage import UserCoverage, measure
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    DeviceFilter,
    Grant,
    IncludeExclude,
    NamedLocation,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
)
from pipeline.domain.findings import Verdict
from tests.unit.analyzers.build import ALL_APPS, BLOCK, policy, tenant

STRONG = AuthenticationStrength(id="strong", requirements_satisfied="mfa")
WEAK = AuthenticationStrength(id="weak", requirements_satisfied="none")
OFFICE = NamedLocation(id="office", display_name="Office", trusted=True)
GERMANY = NamedLocation(id="germany", display_name="Germany")


def of_ada(*policies: ConditionalAccessPolicy) -> UserCoverage:
    return measure(tenant(*policies, strengths=(STRONG, WEAK), locations=(OFFICE, GERMANY)))["ada"]


def apps(include: str = "All", exclude: str | None = None) -> PolicyApplications:
    return PolicyApplications(include=(include,), exclude=(exclude,) if exclude else ())


PINNED = [
    ("nothing", policy(), Verdict.FULL, ()),
    (
        "or_compliant_device",
        policy(grant=Grant(operator="OR", built_in_controls=("mfa", "compliantDevice"))),
        Verdict.PARTIAL,
        ("or_alternative_not_mfa",),
    ),
    (
        "trusted_excluded",
        policy(locations=IncludeExclude(include=("All",), exclude=("AllTrusted",))),
        Verdict.PARTIAL,
        ("location", "trusted_location_gap"),
    ),
    ("android_only", policy(platforms=IncludeExclude(include=("android",))), Verdict.PARTIAL, ("devicePlatform",)),
    (
        "browser_only",
        policy(client_app_types=("browser",)),
        Verdict.PARTIAL,
        ("clientApps", "legacy_client_open"),
    ),
    (
        "this_user_excluded",
        policy(users=PolicyUsers(include_users=("All",), exclude_users=("ada",))),
        Verdict.NONE,
        ("excluded_user",),
    ),
    ("one_app_excluded", policy(applications=apps(exclude="app-1")), Verdict.PARTIAL, ("application",)),
    ("high_risk_only", replace(policy(), sign_in_risk_levels=("high",)), Verdict.NONE, ("signInRisk",)),
    ("report_only", policy(state=PolicyState.REPORT_ONLY), Verdict.NONE, ("report_only_only",)),
]


@pytest.mark.parametrize(("changed", "verdict", "reasons"), [row[1:] for row in PINNED], ids=[row[0] for row in PINNED])
def test_the_pinned_examples_hold(changed: ConditionalAccessPolicy, verdict: Verdict, reasons: tuple[str, ...]) -> None:
    covered = of_ada(changed)

    assert (covered.verdict, covered.reasons) == (verdict, reasons)
    assert covered.policy_ids == ("mfa",)


MORE = [
    ("no_policy", (), Verdict.NONE, ("no_mfa_policy",)),
    ("switched_off", (policy(state=PolicyState.DISABLED),), Verdict.NONE, ("policyNotEnabled",)),
    ("not_included", (policy(users=PolicyUsers(include_users=("bob",))),), Verdict.NONE, ("users",)),
    ("included_as_none", (policy(users=PolicyUsers(include_users=("None",))),), Verdict.NONE, ("users",)),
    ("user_risk_only", (replace(policy(), user_risk_levels=("high",)),), Verdict.NONE, ("userRisk",)),
    ("insider_risk_only", (replace(policy(), insider_risk_levels=("elevated",)),), Verdict.NONE, ("insiderRisk",)),
    (
        "flow_only",
        (replace(policy(), authentication_flows=("deviceCodeFlow",)),),
        Verdict.NONE,
        ("authenticationFlow",),
    ),
    ("no_risk_named", (replace(policy(), sign_in_risk_levels=("high", "none")),), Verdict.FULL, ()),
    ("session_only", (policy(grant=None),), Verdict.NONE, ("no_mfa_policy",)),
    ("no_control", (policy(grant=Grant()),), Verdict.NONE, ("no_mfa_policy",)),
    ("workload_only", (replace(policy(), workload_identities_only=True),), Verdict.NONE, ("no_mfa_policy",)),
    (
        "user_action_only",
        (policy(applications=PolicyApplications(user_actions=("urn:user:registersecurityinfo",))),),
        Verdict.NONE,
        ("no_mfa_policy",),
    ),
    ("no_app", (policy(applications=apps("None")),), Verdict.NONE, ("no_mfa_policy",)),
    ("one_app_only", (policy(applications=apps("app-1")),), Verdict.PARTIAL, ("application",)),
    (
        "suite_less_its_app",
        (
            policy("suite", applications=apps("Office365", "00000002-0000-0ff1-ce00-000000000000")),
            policy("rest", applications=apps("All", "Office365")),
        ),
        Verdict.PARTIAL,
        ("application",),
    ),
    (
        "suite_and_rest",
        (policy("suite", applications=apps("Office365")), policy("rest", applications=apps("All", "Office365"))),
        Verdict.FULL,
        (),
    ),
    (
        "filtered_apps_excluded",
        (policy(applications=replace(ALL_APPS, filter_mode="exclude", filter_rule="CustomSecurityAttribute.x -eq 1")),),
        Verdict.PARTIAL,
        ("application",),
    ),
    (
        "and_compliant_device",
        (policy(grant=Grant(operator="AND", built_in_controls=("mfa", "compliantDevice"))),),
        Verdict.FULL,
        (),
    ),
    (
        "compliant_device_alone",
        (policy(grant=Grant(operator="OR", built_in_controls=("compliantDevice",))),),
        Verdict.NONE,
        ("control_not_mfa", "no_mfa_policy"),
    ),
    (
        "compliant_device_beside_mfa",
        (policy(), policy("device", grant=Grant(operator="OR", built_in_controls=("compliantDevice",)))),
        Verdict.FULL,
        (),
    ),
    ("strength_of_mfa", (policy(grant=Grant(authentication_strength_id="strong")),), Verdict.FULL, ()),
    (
        "strength_below_mfa",
        (policy(grant=Grant(authentication_strength_id="weak")),),
        Verdict.NONE,
        ("control_not_mfa", "no_mfa_policy"),
    ),
    (
        "mfa_or_weak_strength",
        (policy(grant=Grant(built_in_controls=("mfa",), authentication_strength_id="weak")),),
        Verdict.PARTIAL,
        ("or_alternative_not_mfa",),
    ),
    (
        "mfa_or_strength_of_mfa",
        (policy(grant=Grant(built_in_controls=("mfa",), authentication_strength_id="strong")),),
        Verdict.FULL,
        (),
    ),
    (
        "mfa_or_terms_of_use",
        (policy(grant=Grant(built_in_controls=("mfa",), terms_of_use=("terms",))),),
        Verdict.PARTIAL,
        ("or_alternative_not_mfa",),
    ),
    (
        "custom_control",
        (policy(grant=Grant(custom_controls=("duo",))),),
        Verdict.NONE,
        ("control_not_mfa", "no_mfa_policy"),
    ),
    ("blocked", (policy(grant=BLOCK),), Verdict.NOT_APPLICABLE, ("blocked",)),
    ("blocked_and_mfa", (policy(), policy("block", grant=BLOCK)), Verdict.NOT_APPLICABLE, ("blocked",)),
    (
        "modern_mfa_legacy_open",
        (policy(client_app_types=("browser", "mobileAppsAndDesktopClients")),),
        Verdict.PARTIAL,
        ("clientApps", "legacy_client_open"),
    ),
    (
        "modern_mfa_legacy_blocked",
        (
            policy(client_app_types=("browser", "mobileAppsAndDesktopClients")),
            policy("legacy", grant=BLOCK, client_app_types=("exchangeActiveSync", "other")),
        ),
        Verdict.FULL,
        (),
    ),
    (
        "legacy_blocked_alone",
        (policy(grant=BLOCK, client_app_types=("exchangeActiveSync", "other")),),
        Verdict.NONE,
        ("no_mfa_policy",),
    ),
    (
        "mfa_for_legacy_alone",
        (policy(client_app_types=("other",)),),
        Verdict.NONE,
        ("clientApps", "legacy_client_open"),
    ),
    (
        "legacy_stopped_by_device_control",
        (
            policy(client_app_types=("browser", "mobileAppsAndDesktopClients")),
            policy(
                "device",
                client_app_types=("exchangeActiveSync", "other"),
                grant=Grant(built_in_controls=("compliantDevice",)),
            ),
        ),
        Verdict.FULL,
        (),
    ),
    (
        "named_trusted_place_excluded",
        (policy(locations=IncludeExclude(include=("All",), exclude=("office",))),),
        Verdict.PARTIAL,
        ("location", "trusted_location_gap"),
    ),
    (
        "named_untrusted_place_excluded",
        (policy(locations=IncludeExclude(include=("All",), exclude=("germany",))),),
        Verdict.PARTIAL,
        ("location",),
    ),
    (
        "exchange_active_sync_only_by_its_older_word",
        (
            policy("modern", client_app_types=("browser", "mobileAppsAndDesktopClients")),
            policy("legacy", grant=BLOCK, client_app_types=("easSupported",)),
        ),
        Verdict.PARTIAL,
        ("clientApps", "legacy_client_open"),
    ),
    (
        "two_policies_close_the_gap",
        (
            policy("away", locations=IncludeExclude(include=("All",), exclude=("AllTrusted",))),
            policy("home", locations=IncludeExclude(include=("AllTrusted",))),
        ),
        Verdict.FULL,
        (),
    ),
    (
        "home_named_only_leaves_other_trusted",
        (
            policy("away", locations=IncludeExclude(include=("All",), exclude=("AllTrusted",))),
            policy("home", locations=IncludeExclude(include=("office",))),
        ),
        Verdict.PARTIAL,
        ("location", "trusted_location_gap"),
    ),
    (
        "any_platform_but_android",
        (policy(platforms=IncludeExclude(include=("all",), exclude=("android",))),),
        Verdict.PARTIAL,
        ("devicePlatform",),
    ),
    (
        "compliant_devices_filtered_out",
        (replace(policy(), device_filter=DeviceFilter(mode="exclude", rule='device.isCompliant -eq "True"')),),
        Verdict.FULL,
        (),
    ),
    (
        "known_devices_only",
        (replace(policy(), device_filter=DeviceFilter(mode="include", rule='device.isCompliant -eq "True"')),),
        Verdict.NONE,
        ("devices",),
    ),
    (
        "filter_not_understood",
        (replace(policy(), device_filter=DeviceFilter(mode="include", rule="???")),),
        Verdict.UNKNOWN,
        ("notEnoughInformation",),
    ),
]


@pytest.mark.parametrize(("policies", "verdict", "reasons"), [row[1:] for row in MORE], ids=[row[0] for row in MORE])
def test_conditions_and_controls_give_the_verdict(
    policies: tuple[ConditionalAccessPolicy, ...], verdict: Verdict, reasons: tuple[str, ...]
) -> None:
    covered = of_ada(*policies)

    assert (covered.verdict, covered.reasons) == (verdict, reasons)


def test_a_report_only_policy_beside_an_enabled_one_is_no_reason() -> None:
    covered = of_ada(policy(platforms=IncludeExclude(include=("iOS",))), policy("trial", state=PolicyState.REPORT_ONLY))

    assert covered.reasons == ("devicePlatform",)
    assert covered.policy_ids == ("mfa",)
