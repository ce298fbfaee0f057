"""What a tenant may set about a rule: checked as it is entered, never when it is used."""

from __future__ import annotations

import difflib

from analyzers.catalogue import RULES
from analyzers.exemptions import EVERY_RULE_SPARES
from analyzers.rule import Rule, Threshold
from pipeline.domain.entities import EntityType
from pipeline.domain.rule_settings import ExemptionKind
from pipeline.errors import UserError

ACCOUNTS = frozenset({EntityType.IDENTITIES, EntityType.GROUPS})
"""What an exemption can name; a rule about anything else has nobody to exempt."""


SPARED = {
    ExemptionKind.SHARED_MAILBOX: "shared mailboxes",
    ExemptionKind.BREAK_GLASS: "emergency accounts",
}
"""How people call the kinds of account that some rules leave alone."""


def rule_named(name: str) -> Rule:
    """The rule of that id; raises ``UserError`` that offers the nearest ids."""
    known = {rule.id: rule for rule in RULES}
    wanted = name.strip().lower()
    found = known.get(wanted)
    if found is not None:
        return found
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(near)}?" if near else " `mspbyte rules list` shows the ones there are."
    raise UserError(f"There is no rule named {name}.{hint}")


def threshold_of(rule: Rule) -> Threshold:
    """The rule's threshold; raises ``UserError`` where it measures nothing."""
    if rule.threshold is None:
        raise UserError(f"{rule.id} measures nothing, so it has no threshold.")
    return rule.threshold


def checked_threshold(rule: Rule, value: int) -> int:
    """The value; raises ``UserError`` with the accepted range where the rule does not allow it."""
    threshold = threshold_of(rule)
    if not threshold.allows(value):
        raise UserError(
            f"The threshold of {rule.id} is {threshold.least} to {threshold.most} {threshold.unit}, not {value}; "
            f"without one it is {threshold.default}."
        )
    return value


def exemptible(rule: Rule) -> bool:
    """Whether the rule is about anything that an exemption can name, or leaves such accounts out."""
    return rule.heeds_exemptions or not rule.about.isdisjoint(ACCOUNTS)


def check_exemptible(rule: Rule | None, kind: ExemptionKind) -> None:
    """Raises ``UserError`` where the exemption would spare nobody."""
    if rule is None:
        return
    if not exemptible(rule):
        raise UserError(f"{rule.id} is not about accounts or groups, so there is none to exempt.")
    if kind not in EVERY_RULE_SPARES | rule.spares:
        raise UserError(f"{rule.id} makes no exception for {SPARED[kind]}; name the account with --user instead.")
