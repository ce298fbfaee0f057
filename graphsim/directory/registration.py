"""Which authentication methods users registered.

https://learn.microsoft.com/graph/api/resources/userregistrationdetails; disabled users are not in the report.
"""

from __future__ import annotations

from graphsim.directory.population import GUESTS, Kind
from graphsim.directory.roles import is_admin
from graphsim.directory.seeding import draw
from graphsim.directory.tenants import Json, Tenant

_METHODS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("microsoftAuthenticatorPush", "softwareOneTimePasscode"), "push"),
    (("microsoftAuthenticatorPush", "softwareOneTimePasscode"), "push"),
    (("microsoftAuthenticatorPush", "mobilePhone", "softwareOneTimePasscode"), "push"),
    (("mobilePhone",), "sms"),
    (("mobilePhone", "email"), "voiceMobile"),
    (("windowsHelloForBusiness", "microsoftAuthenticatorPush", "softwareOneTimePasscode"), "push"),
    (("softwareOneTimePasscode",), "oath"),
    (("hardwareOneTimePasscode",), "oath"),
)
_PASSWORDLESS = "windowsHelloForBusiness"
_NOT_ALLOWED = "hardwareOneTimePasscode"  # the tenants' authentication methods policies leave hardware tokens out
_NEVER = frozenset({Kind.SERVICE, Kind.INVITED, Kind.DORMANT})
_LESS_LIKELY = 2


def registration_details(tenant: Tenant, number: int, *, name: str, principal: str) -> Json:
    """The report's line on one enabled user."""
    kind = tenant.persona(number).kind
    raw = draw(tenant.key, b"registration", number)
    methods, preferred = _registered(tenant, kind, raw)
    capable = bool(methods) and _NOT_ALLOWED not in methods
    return {
        "id": tenant.user_id(number),
        "userPrincipalName": principal,
        "userDisplayName": name,
        "userType": "guest" if kind in GUESTS else "member",
        "isAdmin": is_admin(tenant, number),
        "isSsprRegistered": len(methods) > 1,
        "isSsprEnabled": kind not in GUESTS,
        "isSsprCapable": len(methods) > 1 and kind not in GUESTS,
        "isMfaRegistered": bool(methods),
        "isMfaCapable": capable,
        "isPasswordlessCapable": _PASSWORDLESS in methods,
        "methodsRegistered": list(methods),
        "isSystemPreferredAuthenticationMethodEnabled": True,
        "systemPreferredAuthenticationMethods": [preferred] if methods else [],
        "userPreferredMethodForSecondaryAuthentication": preferred,
        "lastUpdatedDateTime": tenant.ago(days=0, seconds=raw[4] * 60),
    }


def _registered(tenant: Tenant, kind: Kind, raw: bytes) -> tuple[tuple[str, ...], str]:
    chance = tenant.posture.registered_percent // (_LESS_LIKELY if kind in GUESTS else 1)
    if kind in _NEVER or raw[0] * 100 // 256 >= chance:
        return (), "none"
    return _METHODS[raw[1] % len(_METHODS)]
