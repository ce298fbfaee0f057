"""Do changes made on premises still reach the tenant? Raises ``sync_stalled``."""

from __future__ import annotations

from datetime import datetime, timedelta

from analyzers.rule import Case, Judgement, Rule, Threshold
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Organization
from pipeline.domain.findings import AlertType, Finding, Severity


def judge(case: Case) -> Judgement:
    """A finding if the tenant is synchronized from on premises and the last time is longer ago than the threshold.

    The last synchronization is the last one *when the organization was read*, and the graph does not say when that
    was. The pipeline evaluates this rule right after each reading of the organization, once a day, so that the two
    moments are close. Whoever has it evaluated over an older reading has to count the reading's age in: with the
    default a healthy tenant is safe for almost three days, with a threshold below 24 hours not even between readings.
    """
    organization = case.graph.organization
    if organization is None:
        return Judgement(items=0, incomplete="the tenant's organization was not among what was read")
    if organization.on_premises_sync_enabled is None:
        return Judgement(items=1, incomplete="whether the directory is synchronized was not read")
    if not organization.on_premises_sync_enabled:
        return Judgement(items=1)
    last = organization.on_premises_last_sync_at
    if last is None:
        return Judgement(items=1, incomplete="when the directory was last synchronized was not read")
    stalled = last < case.facts.now - timedelta(hours=case.threshold)
    return Judgement(items=1, findings=[_finding(case, organization, last)] if stalled else [])


def _finding(case: Case, organization: Organization, last: datetime) -> Finding:
    return case.about_tenant(
        Severity.HIGH,
        f"The directory of {organization.display_name or 'the tenant'} was last synchronized from on premises on "
        f"{last:%Y-%m-%d at %H:%M} UTC, more than {case.threshold} hours ago: later changes there have not arrived.",
        reasons=("no_recent_sync",),
        evidence={"organization_id": organization.id},
    )


RULE = Rule(
    alert_type=AlertType.SYNC_STALLED,
    title="The directory is synchronized from on premises, and has not been for the threshold of hours.",
    severity="high",
    about=frozenset({EntityType.TENANTS}),
    inputs=(Resource.ORGANIZATION,),
    threshold=Threshold(
        default=72, least=3, most=720, unit="hours", meaning="tenants that were not synchronized for longer"
    ),
    remediation=(
        "Look at the server with Microsoft Entra Connect or the cloud sync agent: is it running, does its account "
        "still work, what do its last runs say? If synchronization was given up, turn it off in the tenant."
    ),
    source="https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-sync-feature-scheduler",
    judge=judge,
)
