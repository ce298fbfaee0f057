"""Sign-ins, users at risk, the secure score, and roles as PIM tells of them; positions as in ``reads``.

https://learn.microsoft.com/graph/api/resources/signin, ``riskyuser``, ``securescore`` and
``unifiedroleassignmentscheduleinstance``
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

from graphsim.directory.population import Kind
from graphsim.directory.role_management import has_pim
from graphsim.directory.seeding import draw, guid
from graphsim.directory.tenants import Json, Tenant, timestamp
from graphsim.protocol.errors import needs_premium_p2, not_licensed, not_premium
from graphsim.reading.directory_reads import role_assignments
from graphsim.reading.reads import Entries, Place, listed
from graphsim.world.state import TenantState

KEPT = timedelta(days=30)
"""How long sign-ins are kept in tenants with Entra ID P1."""
_WRONG = "Error validating credentials due to invalid username or password."
_WRONG_PASSWORD = 50126
_RISKY_EVERY = 60


def sign_ins(state: TenantState, place: Place) -> Entries:
    """The last interactive sign-in of each user, if it is kept still; needs a premium licence."""
    if not state.tenant.posture.premium:
        raise not_premium()
    return _sign_ins(state, place)


def _sign_ins(state: TenantState, place: Place) -> Entries:
    oldest = timestamp(state.now - KEPT)
    for number in range(place.start, state.size):
        if number in state.removed:
            continue
        user = state.user(number)
        activity = cast("dict[str, str | None]", user.get("signInActivity") or {})
        at = activity.get("lastSignInDateTime")
        if at and at >= oldest:
            yield number + 1, _sign_in(state.tenant, number, user, at, succeeded=_succeeded(at, activity))


def _succeeded(at: str, activity: dict[str, str | None]) -> bool:
    """``lastSuccessfulSignInDateTime`` may be a non-interactive one's and is then the later of the two."""
    success = activity.get("lastSuccessfulSignInDateTime")
    return success is not None and datetime.fromisoformat(success) >= datetime.fromisoformat(at)


def _sign_in(tenant: Tenant, number: int, user: Json, at: str, *, succeeded: bool) -> Json:
    raw = draw(tenant.key, b"signin", number)
    city, country = tenant.city
    return {
        "id": guid(raw),
        "createdDateTime": at,
        "userDisplayName": user["displayName"],
        "userPrincipalName": user["userPrincipalName"],
        "userId": user["id"],
        "appId": "00000002-0000-0ff1-ce00-000000000000",
        "appDisplayName": "Office 365 Exchange Online",
        "appliedConditionalAccessPolicies": [],
        "clientAppUsed": "Browser",
        "conditionalAccessStatus": "notApplied",
        "correlationId": guid(raw[16:]),
        "deviceDetail": {
            "browser": "Edge 139.0.0",
            "deviceId": "",
            "displayName": "",
            "isCompliant": False,
            "isManaged": False,
            "operatingSystem": "Windows10",
            "trustType": "",
        },
        "ipAddress": f"203.0.113.{raw[0]}",
        "isInteractive": True,
        "location": {
            "city": city,
            "countryOrRegion": country,
            "geoCoordinates": {"altitude": None, "latitude": None, "longitude": None},
            "state": "",
        },
        "resourceDisplayName": "Office 365 Exchange Online",
        "resourceId": "00000002-0000-0ff1-ce00-000000000000",
        "riskDetail": "none",
        "riskEventTypes": [],
        "riskEventTypes_v2": [],
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "status": {
            "additionalDetails": None,
            "errorCode": 0 if succeeded else _WRONG_PASSWORD,
            "failureReason": "Other." if succeeded else _WRONG,
        },
    }


def risky_users(state: TenantState, place: Place) -> Entries:
    """Those who keep failing, and a few more; needs Entra ID P2."""
    if not has_pim(state.tenant):
        raise not_licensed()
    return ((number + 1, _risky(state, number)) for number in _at_risk(state, place.start))


def _at_risk(state: TenantState, start: int) -> Iterator[int]:
    for number in range(start, state.size):
        failing = state.tenant.persona(number).kind is Kind.FAILED_ONLY
        if state.exists(number) and (failing or number % _RISKY_EVERY == _RISKY_EVERY - 1):
            yield number


def _risky(state: TenantState, number: int) -> Json:
    user = state.user(number)
    failing = state.tenant.persona(number).kind is Kind.FAILED_ONLY
    return {
        "id": user["id"],
        "isDeleted": False,
        "isProcessing": False,
        "riskDetail": "none" if failing else "userPerformedSecuredPasswordReset",
        "riskLastUpdatedDateTime": state.tenant.ago(days=3),
        "riskLevel": "high" if failing else "none",
        "riskState": "atRisk" if failing else "remediated",
        "userDisplayName": user["displayName"],
        "userPrincipalName": user["userPrincipalName"],
    }


def secure_scores(state: TenantState, place: Place) -> Entries:
    """One score, today's."""
    tenant = state.tenant
    score = 41.5 if tenant.posture.tidy else 18.0
    body: Json = {
        "id": f"{tenant.id}_{tenant.now:%Y-%m-%d}",
        "activeUserCount": state.user_count,
        "averageComparativeScores": [{"averageScore": 33.2, "basis": "AllTenants"}],
        "azureTenantId": tenant.id,
        "controlScores": [
            {"controlCategory": "Identity", "controlName": name, "description": None, "score": score / 2}
            for name in ("MFARegistrationV2", "BlockLegacyAuthentication")
        ],
        "createdDateTime": tenant.ago(days=0),
        "currentScore": score,
        "enabledServices": ["HasExchange", "HasSharePoint"],
        "licensedUserCount": state.user_count,
        "maxScore": 62.0,
        "vendorInformation": {
            "provider": "SecureScore",
            "providerVersion": None,
            "subProvider": None,
            "vendor": "Microsoft",
        },
    }
    return listed([body], place)


def schedule_instances(state: TenantState, place: Place) -> Entries:
    """The roles that are held now, as PIM has them: none of them was activated for a while only."""
    if not has_pim(state.tenant):
        raise needs_premium_p2()
    return listed([_instance(state.tenant, held) for _, held in role_assignments(state, Place())], place)


def _instance(tenant: Tenant, held: Json) -> Json:
    copied = ("appScopeId", "directoryScopeId", "principalId", "roleDefinitionId", "principal")
    return {
        "id": held["id"],
        **{name: held[name] for name in copied},
        "assignmentType": "Assigned",
        "endDateTime": None,
        "memberType": "Direct",
        "roleAssignmentOriginId": held["id"],
        "roleAssignmentScheduleId": held["id"],
        "startDateTime": tenant.ago(days=300),
    }
