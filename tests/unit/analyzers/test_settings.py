"""What a tenant may set about a rule, and how anything else is refused."""

from __future__ import annotations

import pytest

from analyzers.catalogue import RULES, rule_of
from analyzers.rule import Rule
from analyzers.settings import ACCOUNTS, check_exemptible, checked_threshold, exemptible, rule_named, threshold_of
from pipeline.domain.findings import AlertType
from pipeline.domain.rule_settings import ExemptionKind
from pipeline.errors import UserError

MEASURING = [rule for rule in RULES if rule.threshold is not None]
STALE = rule_of(AlertType.STALE_USER)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_found_by_its_id(rule: Rule) -> None:
    assert rule_named(rule.id) is rule
    assert rule_named(f" {rule.id.upper()} ") is rule


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stale_users", "There is no rule named stale_users. Did you mean stale_user or "),
        ("STALE_USR", "There is no rule named STALE_USR. Did you mean stale_user"),
        ("zzz", "There is no rule named zzz. `mspbyte rules list` shows the ones there are."),
    ],
)
def test_an_unknown_rule_is_refused_with_the_nearest_or_with_how_to_list(name: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        rule_named(name)

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("rule", MEASURING, ids=lambda rule: rule.id)
def test_the_default_and_both_ends_of_the_range_are_taken_and_nothing_beyond(rule: Rule) -> None:
    limits = threshold_of(rule)
    for value in (limits.least, limits.default, limits.most):
        assert checked_threshold(rule, value) == value
    for value in (limits.least - 1, limits.most + 1):
        with pytest.raises(UserError, match=f" is {limits.least} to {limits.most} {limits.unit}, not {value}; "):
            checked_threshold(rule, value)


def test_a_value_out_of_range_is_refused_with_the_range_and_the_default() -> None:
    with pytest.raises(UserError) as refused:
        checked_threshold(STALE, 6)

    assert str(refused.value) == "The threshold of stale_user is 7 to 730 days, not 6; without one it is 90."


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in MEASURING], ids=lambda rule: rule.id)
def test_a_rule_that_measures_nothing_has_no_threshold(rule: Rule) -> None:
    with pytest.raises(UserError, match=f"{rule.id} measures nothing, so it has no threshold"):
        checked_threshold(rule, 90)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_only_a_rule_about_accounts_or_groups_takes_an_exemption(rule: Rule) -> None:
    if rule.about & ACCOUNTS or rule.heeds_exemptions:
        assert exemptible(rule)
        check_exemptible(rule, ExemptionKind.USER)
    else:
        assert not exemptible(rule)
        with pytest.raises(UserError, match=f"{rule.id} is not about accounts or groups"):
            check_exemptible(rule, ExemptionKind.USER)


def test_a_rule_takes_only_the_kinds_of_account_that_it_spares() -> None:
    rule = rule_named("mfa_not_enforced")

    check_exemptible(rule, ExemptionKind.BREAK_GLASS)
    with pytest.raises(UserError, match="mfa_not_enforced makes no exception for shared mailboxes"):
        check_exemptible(rule, ExemptionKind.SHARED_MAILBOX)


def test_an_exemption_from_every_rule_needs_no_check() -> None:
    check_exemptible(None, ExemptionKind.SHARED_MAILBOX)
