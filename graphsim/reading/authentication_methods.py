"""The methods a user registered, one object each, and which methods the tenant allows.

https://learn.microsoft.com/graph/api/resources/authenticationmethod and ``authenticationmethodspolicy``. Hardware
tokens are no objects in v1.0.
"""

from __future__ import annotations

from graphsim.directory.groups import BREAK_GLASS
from graphsim.directory.population import GUESTS
from graphsim.directory.seeding import draw, guid
from graphsim.directory.tenants import Json, Tenant
from graphsim.reading.reads import Entries, Place, find_user, listed, registration
from graphsim.world.state import TenantState

_PASSWORD = "28c10230-6103-485e-b985-444c60001490"  # noqa: S105 - the id that Microsoft gives every password
_MOBILE = "3179e48a-750b-4051-897c-87b9720928f7"
_EMAIL = "3ddfcfc8-9383-446f-83cc-3ab9be4be18f"
_EVERYBODY = "all_users"


def methods(state: TenantState, place: Place) -> Entries:
    """A user's password and what the registration report tells of."""
    number = find_user(state, place.key)
    user = state.user(number)
    registered = registration(state, number, user)["methodsRegistered"]
    own = [] if state.tenant.persona(number).kind in GUESTS else [_method("password", _PASSWORD, user, password=None)]
    names = registered if isinstance(registered, list) else []
    return listed(own + [one for name in names if (one := _registered(state.tenant, number, str(name), user))], place)


def _registered(tenant: Tenant, number: int, name: str, user: Json) -> Json | None:
    raw = draw(tenant.key, b"method", number)
    match name:
        case "microsoftAuthenticatorPush":
            known: Json = {
                "deviceTag": "SoftwareTokenActivated",
                "displayName": "Phone",
                "phoneAppVersion": "6.2408.5807",
            }
            return _method("microsoftAuthenticator", guid(raw), user, **known)
        case "softwareOneTimePasscode":
            return _method("softwareOath", guid(raw[16:]), user, secretKey=None)
        case "windowsHelloForBusiness":
            return _method("windowsHelloForBusiness", guid(raw[32:]), user, displayName="Laptop", keyStrength="normal")
        case "mobilePhone":
            phone: Json = {"phoneNumber": f"+1 55501{raw[0] % 100:02d}", "phoneType": "mobile"}
            return _method("phone", _MOBILE, user, **phone, smsSignInState="notAllowedByPolicy")
        case "email":
            return _method("email", _EMAIL, user, emailAddress=user["mail"])
        case _:
            return None


def _method(kind: str, key: str, user: Json, **known: object) -> Json:
    since = user["createdDateTime"]
    return {
        "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethod",
        "id": key,
        "createdDateTime": since,
        **known,
    }


def policy(tenant: Tenant) -> Json:
    """Tidy tenants allow no text messages; nobody allows hardware tokens, for v1.0 has none."""
    return {
        "id": "authenticationMethodsPolicy",
        "displayName": "Authentication Methods Policy",
        "description": "The tenant-wide policy that controls which authentication methods are allowed in the tenant",
        "lastModifiedDateTime": tenant.ago(days=90),
        "policyVersion": "1.5",
        "policyMigrationState": "migrationComplete" if tenant.posture.tidy else "preMigration",
        "reconfirmationInDays": None,
        "registrationEnforcement": {
            "authenticationMethodsRegistrationCampaign": {
                "snoozeDurationInDays": 1,
                "state": "enabled" if tenant.posture.tidy else "default",
                "excludeTargets": [],
                "includeTargets": [
                    {
                        "id": _EVERYBODY,
                        "targetType": "group",
                        "targetedAuthenticationMethod": "microsoftAuthenticator",
                    }
                ],
            }
        },
        "authenticationMethodConfigurations": configurations(tenant),
    }


def configurations(tenant: Tenant) -> list[Json]:
    """What the policy says of each method."""
    texts = not tenant.posture.tidy
    feature: Json = {
        "state": "enabled" if tenant.posture.tidy else "default",
        "includeTarget": {"targetType": "group", "id": _EVERYBODY},
        "excludeTarget": {"targetType": "group", "id": tenant.group_id(BREAK_GLASS)},
    }
    shown = {f"display{what}InformationRequiredState": feature for what in ("App", "Location")}
    return [
        _configuration(
            "MicrosoftAuthenticator",
            _target(authenticationMode="any"),
            enabled=True,
            isSoftwareOathEnabled=True,
            featureSettings=shown,
        ),
        _configuration("Sms", _target(isUsableForSignIn=False), enabled=texts),
        _configuration("Voice", _target(), enabled=texts, isOfficePhoneAllowed=False),
        _configuration("SoftwareOath", _target(), enabled=True),
        _configuration("Email", _target(), enabled=True, allowExternalIdToUseEmailOtp="default"),
        _configuration(
            "TemporaryAccessPass",
            _target(),
            enabled=tenant.posture.tidy,
            defaultLength=8,
            defaultLifetimeInMinutes=60,
            isUsableOnce=True,
            minimumLifetimeInMinutes=60,
            maximumLifetimeInMinutes=480,
        ),
    ]


def _configuration(name: str, target: Json, *, enabled: bool, **known: object) -> Json:
    kind = f"{name[0].lower()}{name[1:]}"
    return {
        "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethodConfiguration",
        "id": name,
        "state": "enabled" if enabled else "disabled",
        "excludeTargets": [],
        **known,
        "includeTargets": [target],
    }


def _target(**known: object) -> Json:
    return {"id": _EVERYBODY, "targetType": "group", "isRegistrationRequired": False, **known}
