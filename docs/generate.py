"""Writes the pages of this folder that tell what the code says already: the rules, and how legacy differs from them.

``make docs`` calls it; ``tests/unit/test_generated_docs.py`` compares.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from analyzers.catalogue import RULES
from analyzers.rule import Rule
from analyzers.settings import SPARED, exemptible
from legacy.declared import DECLARED, DeclaredDifference
from pipeline.domain.findings import AlertType

FOLDER = Path(__file__).parent
RULES_PAGE = FOLDER / "rules.md"
DIFFERENCES_PAGE = FOLDER / "legacy-differences.md"
WIDTH = 120
NOTE = "<!-- Written by `make docs` from {}; change it there. -->"


def main() -> None:
    """Writes both pages anew."""
    RULES_PAGE.write_text(rules_page(), encoding="utf-8")
    DIFFERENCES_PAGE.write_text(differences_page(), encoding="utf-8")


def rules_page() -> str:
    """Every rule of the catalogue: a table of all by analysis type, then each explained."""
    groups = [
        (kind, [rule for rule in RULES if rule.analysis_type is kind])
        for kind in dict.fromkeys(rule.analysis_type for rule in RULES)
    ]
    return _page(
        [
            "# Rules",
            NOTE.format("`analyzers/catalogue.py`"),
            _filled(
                f"What is looked for in every tenant: {len(RULES)} rules. Each verdict is *problem*, *ok* or *cannot"
                " tell*, and what cannot be told neither raises nor resolves an alert. A rule whose inputs could not be"
                " read to their end is skipped with the reason: `mspbyte rules coverage` shows which, and since when."
            ),
            _filled(
                "`mspbyte rules set` gives a tenant another threshold, within the range that stands beside it;"
                " `mspbyte replay` shows beforehand what would come and go. `mspbyte rules exempt` leaves an account"
                " alone: users and groups by every rule about accounts, shared mailboxes and emergency accounts by the"
                " rules that say so below."
            ),
            _table(
                ("analysis type", "rule", "severity", "threshold", "looks for"),
                (
                    (kind.value, _link(rule.alert_type), rule.severity, _default(rule), rule.title)
                    for kind, rules in groups
                    for rule in rules
                ),
            ),
            *(part for kind, rules in groups for part in (f"## {kind.value}", *map(_explained, rules))),
        ]
    )


def differences_page() -> str:
    """Every declared difference between the former rules and these."""
    return _page(
        [
            "# Where legacy judges otherwise",
            NOTE.format("`legacy/declared.py`"),
            _filled(
                "A comparison of both branches counts these differences apart, as declared: each is a wrongness of the"
                " former system that is known. Any other difference is a discrepancy."
            ),
            _filled(
                "The kind is told of the new branch: *missing* where it lacks an alert that legacy has, *extra* where"
                " it has one that legacy lacks, *severity* where it has the alert with another severity. An entry"
                " covers an alert of its types whose reason codes share one with its own; one without codes covers all"
                " of its types. From the day after it expires it covers nothing."
            ),
            _table(
                ("rule", "kind", "what legacy does", "expires"),
                (
                    (f"[`{one.rule}`](#{one.rule})", ", ".join(one.kinds), one.reason, one.expires.isoformat())
                    for one in DECLARED
                ),
            ),
            *map(_difference, DECLARED),
        ]
    )


def _page(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"


def _explained(rule: Rule) -> str:
    limits = rule.threshold
    facts = [
        ("severity", rule.severity),
        ("about", ", ".join(sorted(kind.value for kind in rule.about))),
        ("needs", _codes(resource.value for resource in rule.inputs)),
        ("may need", _codes(resource.value for resource in rule.optional_inputs)),
        ("threshold", f"{_default(rule)} ({limits.least} to {limits.most}): {limits.meaning}" if limits else ""),
        ("leaves alone", _spared(rule)),
        ("what to do", rule.remediation),
        ("source", f"<{rule.source}>"),
        ("since version", rule.since),
    ]
    return "\n\n".join((f"### {rule.id}", _filled(rule.title), _list(facts)))


def _difference(one: DeclaredDifference) -> str:
    facts = [
        ("kind", ", ".join(one.kinds)),
        ("alert types", ", ".join(_link(kind, "rules.md") for kind in one.alert_types)),
        ("reason codes", _codes(sorted(one.codes)) or "any"),
        ("owner", one.owner),
        ("expires", one.expires.isoformat()),
    ]
    return "\n\n".join((f"## {one.rule}", _filled(one.reason), _list(facts)))


def _default(rule: Rule) -> str:
    return f"{rule.threshold.default} {rule.threshold.unit}" if rule.threshold else ""


def _spared(rule: Rule) -> str:
    """The kinds of account it leaves alone by itself; empty where there is no account to leave alone."""
    return ", ".join(SPARED[kind] for kind in sorted(rule.spares)) if exemptible(rule) else ""


def _link(alert_type: AlertType, page: str = "") -> str:
    return f"[`{alert_type.value}`]({page}#{alert_type.value})"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _list(facts: Iterable[tuple[str, str]]) -> str:
    """A list of what is told of something; an empty value leaves its line out."""
    return "\n".join(_filled(f"- **{name}**: {value}", indent="  ") for name, value in facts if value)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_table_lines(columns, rows))


def _table_lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"


def _filled(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
