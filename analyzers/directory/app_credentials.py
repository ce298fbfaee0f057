"""Will an application soon be unable to sign in? Raises ``app_credential_expiring``, one for each credential."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from analyzers.rule import Case, Judgement, Rule, Threshold
from pipeline.domain.capture import Resource
from pipeline.domain.entities import AppCredential, Application, CredentialKind, EntityType
from pipeline.domain.findings import AlertType, Finding, Severity

FORGOTTEN_AFTER = timedelta(days=30)
"""What ended longer ago is missed by nobody, or replaced by something that is not read here."""

NAMES = {CredentialKind.PASSWORD: "secret", CredentialKind.CERTIFICATE: "certificate"}


def judge(case: Case) -> Judgement:
    """A finding for every secret or certificate that ends within the tenant's threshold of days, or ended lately.

    Where another of the same kind lasts longer than that, the application has been given a new one already. A
    credential without an end lasts.
    """
    until = case.facts.now + timedelta(days=case.threshold)
    applications = [application for _, application in sorted(case.graph.applications.items())]
    return Judgement(
        items=sum(len(application.credentials) for application in applications),
        findings=[finding for application in applications for finding in _findings(case, application, until)],
    )


def _findings(case: Case, application: Application, until: datetime) -> Iterator[Finding]:
    now, since = case.facts.now, case.facts.now - FORGOTTEN_AFTER
    renewed = {one.kind for one in application.credentials if one.ends_at is None or one.ends_at > until}
    told: set[str] = set()  # two credentials without a key id would be one alert
    for one in application.credentials:
        if one.ends_at is None or one.kind in renewed or one.ends_at < since or one.key_id in told:
            continue
        told.add(one.key_id)
        yield _finding(case, application, one, one.ends_at, ended=one.ends_at <= now)


def _finding(
    case: Case, application: Application, credential: AppCredential, ends: datetime, *, ended: bool
) -> Finding:
    kind = NAMES[credential.kind]
    name = application.display_name or application.app_id or application.id
    called = f' "{credential.display_name}"' if credential.display_name else ""
    verb, then = ("ended", "has stopped") if ended else ("ends", "will stop then")
    return case.about(
        EntityType.APPLICATIONS,
        application.id,
        Severity.MEDIUM,
        f"The {kind}{called} of the application {name} {verb} on {ends:%Y-%m-%d} and there is no newer one: whatever "
        f"signs in with it {then}.",
        reasons=("expired",) if ended else ("expiring",),
        evidence={"app_id": application.app_id, "kind": credential.kind.value},
        subject=credential.key_id,
    )


RULE = Rule(
    alert_type=AlertType.APP_CREDENTIAL_EXPIRING,
    title="A secret or certificate of an application ends soon or ended lately, and there is no newer one.",
    severity="medium",
    about=frozenset({EntityType.APPLICATIONS}),
    inputs=(Resource.APPLICATIONS,),
    threshold=Threshold(
        default=30, least=1, most=365, unit="days", meaning="secrets and certificates that end within so many days"
    ),
    remediation=(
        "Give the application a new secret or certificate, change it wherever the old one is used, then remove the old "
        "one. Remove the application if nobody uses it."
    ),
    source="https://learn.microsoft.com/entra/identity/monitoring-health/recommendation-renew-expiring-application-credential",
    judge=judge,
)
