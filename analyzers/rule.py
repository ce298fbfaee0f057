"""What a rule is: its entry in the catalogue, the case it is asked to judge, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzers.coverage import Doubt
from analyzers.facts import Facts
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity
from pipeline.domain.findings import OWNER, THE_TENANT, AlertType, AnalysisType, Evidence, Finding, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """A number that a tenant may set. ``meaning`` completes the sentence "the rule looks for …"."""

    default: int
    least: int
    most: int
    unit: str
    """``days``, ``hours``, ``seats`` or ``accounts``."""
    meaning: str

    def allows(self, value: int) -> bool:
        return self.least <= value <= self.most


@dataclass(frozen=True, kw_only=True, slots=True)
class Untold:
    """An entity on which the rule cannot tell, with the reason."""

    external_id: str
    reason: str
    subject: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a rule says of a case. ``items`` is how many things it looked at.

    ``incomplete`` is why the rule as a whole cannot be told although single verdicts can; nothing is resolved then.
    ``doubt`` is whether that rests on what was read, which does not tell, and not on what could not be read.
    """

    items: int
    findings: Sequence[Finding] = ()
    untold: Sequence[Untold] = ()
    incomplete: str = ""
    doubt: bool = False


def undecided(items: int, doubt: Doubt | None) -> Judgement:
    """No finding, and whether that may be said: ``doubt`` is why not, ``None`` if nothing is unclear."""
    if doubt is None:
        return Judgement(items=items)
    return Judgement(items=items, incomplete=doubt.reason, doubt=not doubt.input_missing)


Judge = Callable[["Case"], Judgement]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule. ``severity`` says in words when it is which.

    Without ``inputs`` it gives no verdict at all and its judge is not asked; ``optional_inputs`` are needed for some
    verdicts or in some tenants only (a policy names a location), and only those cannot be told without them.
    ``spares`` are the kinds of exempt account that the rule leaves alone besides exempt users and groups. ``since`` is
    the version it came with. A rule without a judge is raised by the pipeline, or judged over another graph.
    """

    alert_type: AlertType
    title: str
    severity: str
    about: frozenset[EntityType] = frozenset({EntityType.IDENTITIES})
    """What its alerts are about."""
    inputs: tuple[Resource, ...]
    optional_inputs: tuple[Resource, ...] = ()
    threshold: Threshold | None = None
    spares: frozenset[ExemptionKind] = frozenset()
    heeds_exemptions: bool = False
    """Its alerts are about the tenant, and exempt accounts don't count for them."""
    per_user: bool = False
    """The verdict on a user rests on the user, their groups, roles and the tenant's policies alone: not on the clock,
    not on other users. Such a rule need not look again at users of whom nothing changed."""
    remediation: str
    source: str
    since: str = "0.2.0"
    judge: Judge | None = None

    @property
    def id(self) -> str:
        """The rule's id, which is its alert type's value."""
        return self.alert_type.value

    @property
    def analysis_type(self) -> AnalysisType:
        return OWNER[self.alert_type]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One tenant before one rule. Its declared inputs are complete; time is ``facts.now``."""

    rule: Rule
    facts: Facts
    users: Mapping[str, Identity]
    """The users to judge, in the order of their ids; fewer than the tenant's where little changed."""
    threshold: int
    """The tenant's, or the default; 0 for a rule without one."""
    break_glass: frozenset[str] = frozenset()
    """The accounts the tenant names as its emergency accounts."""
    exempt: frozenset[str] = frozenset()
    """The users and groups whose problems of this rule are accepted. Findings about them are taken out afterwards; a
    rule about the tenant leaves them out itself."""
    grants_known: Mapping[tuple[str, str], datetime | None] | None = None
    """(identity id, role template id) → since when the privileged role is held, as far as earlier readings told:
    ``None`` for those of the first one. ``None`` altogether before it."""

    @property
    def graph(self) -> TenantGraph:
        return self.facts.graph

    def about_user(
        self,
        user: Identity,
        severity: Severity,
        message: str,
        *,
        reasons: tuple[str, ...] = (),
        evidence: Evidence | None = None,
        subject: str = "",
    ) -> Finding:
        """A finding of this rule about a user."""
        return self.about(
            EntityType.IDENTITIES, user.id, severity, message, reasons=reasons, evidence=evidence, subject=subject
        )

    def about(
        self,
        entity_type: EntityType,
        external_id: str,
        severity: Severity,
        message: str,
        *,
        reasons: tuple[str, ...] = (),
        evidence: Evidence | None = None,
        subject: str = "",
    ) -> Finding:
        """A finding of this rule about any entity."""
        return Finding(
            alert_type=self.rule.alert_type,
            severity=severity,
            entity_type=entity_type,
            external_id=external_id,
            message=message,
            subject=subject,
            reasons=reasons,
            evidence=evidence or {},
        )

    def about_tenant(
        self, severity: Severity, message: str, *, reasons: tuple[str, ...] = (), evidence: Evidence | None = None
    ) -> Finding:
        """A finding of this rule about the tenant as a whole."""
        return self.about(EntityType.TENANTS, THE_TENANT, severity, message, reasons=reasons, evidence=evidence)
