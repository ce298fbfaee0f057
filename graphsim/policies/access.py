"""Named locations, authentication strengths and security defaults."""

from __future__ import annotations

from graphsim.directory.postures import PolicySet
from graphsim.directory.tenants import Json, Tenant

STRENGTH_MFA = "00000000-0000-0000-0000-000000000002"
STRENGTH_PASSWORDLESS = "00000000-0000-0000-0000-000000000003"
STRENGTH_PHISHING_RESISTANT = "00000000-0000-0000-0000-000000000004"
SECURITY_DEFAULTS = "00000000-0000-0000-0000-000000000005"
_BUILT_IN_SINCE = "2021-12-01T00:00:00Z"
_RESISTANT = ("windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor")
_PASSWORDLESS = (*_RESISTANT, "deviceBasedPush")
_MFA = (
    *_PASSWORDLESS,
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
)


def countries_id(tenant: Tenant) -> str:
    """The location of the countries the tenant does business in."""
    return tenant.object_id("location", 2)


def named_locations(tenant: Tenant) -> list[Json]:
    """A trusted and an untrusted IP location and one of countries."""
    _, country = tenant.city
    octet = tenant.key[3]
    return [
        _ip_location(
            tenant, 0, "Head office", [f"203.0.113.{octet & 0xF0}/28", f"2001:db8:{octet:x}::/48"], trusted=True
        ),
        _ip_location(tenant, 1, "Guest Wi-Fi", [f"198.51.100.{octet & 0xF8}/29"], trusted=False),
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            **_dated(tenant, 2),
            "displayName": "Countries we work in",
            "countriesAndRegions": sorted({country, "DE", "US"}),
            "countryLookupMethod": "clientIpAddress",
            "includeUnknownCountriesAndRegions": False,
        },
    ]


def _ip_location(tenant: Tenant, number: int, name: str, ranges: list[str], *, trusted: bool) -> Json:
    return {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        **_dated(tenant, number),
        "displayName": name,
        "isTrusted": trusted,
        "ipRanges": [
            {"@odata.type": f"#microsoft.graph.iPv{6 if ':' in each else 4}CidrRange", "cidrAddress": each}
            for each in ranges
        ],
    }


def _dated(tenant: Tenant, number: int) -> Json:
    return {
        "id": tenant.object_id("location", number),
        "deletedDateTime": None,
        "createdDateTime": tenant.ago(days=700 - number),
        "modifiedDateTime": tenant.ago(days=200 - number),
    }


def authentication_strengths() -> list[Json]:
    """Microsoft's three built-in strengths; the same in every tenant."""
    return [
        _strength(
            STRENGTH_MFA,
            "Multifactor authentication",
            "Combinations of methods that satisfy strong authentication, such as a password + SMS",
            _MFA,
        ),
        _strength(
            STRENGTH_PASSWORDLESS,
            "Passwordless MFA",
            "Passwordless methods that satisfy strong authentication, such as Passwordless sign-in with the Microsoft"
            " Authenticator",
            _PASSWORDLESS,
        ),
        _strength(
            STRENGTH_PHISHING_RESISTANT,
            "Phishing-resistant MFA",
            "Phishing-resistant, Passwordless methods for the strongest authentication, such as a FIDO2 security key",
            _RESISTANT,
        ),
    ]


def _strength(strength_id: str, name: str, description: str, combinations: tuple[str, ...]) -> Json:
    return {
        "id": strength_id,
        "createdDateTime": _BUILT_IN_SINCE,
        "modifiedDateTime": _BUILT_IN_SINCE,
        "displayName": name,
        "description": description,
        "policyType": "builtIn",
        "requirementsSatisfied": "mfa",
        "allowedCombinations": list(combinations),
        "combinationConfigurations": [],
    }


def security_defaults(tenant: Tenant) -> Json:
    """The one object that says whether security defaults are on."""
    return {
        "id": SECURITY_DEFAULTS,
        "deletedDateTime": None,
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": tenant.posture.policy_set is PolicySet.SECURITY_DEFAULTS,
    }
