"""What the AADSTS codes of Microsoft's sign-in mean to an application that signs in by itself, and what to do.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes. The many codes about people who sign in,
their devices and their sessions cannot meet an application; an unknown one is told with where to look it up.
"""

from __future__ import annotations

from collections.abc import Mapping

TRANSIENT = frozenset({50033, 50196, 90006, 90012, 90024, 90033, 90055, 90090, 90091})
"""Microsoft's own trouble, and sign-ins that come too fast: worth another try."""

_CONSENT = "have one of the tenant's administrators consent to the application's permissions again"
_UNKNOWN_APPLICATION = "the application is not known in the tenant; have one of its administrators consent to it"
_NO_APPLICATION = f"{_UNKNOWN_APPLICATION}, or check the application (client) id"
_NO_TENANT = "there is no such tenant; check the tenant id"
_OTHER_CLOUD = "the tenant belongs to another of Microsoft's clouds; set GRAPH_BASE_URL and GRAPH_AUTHORITY to it"
_CERTIFICATE = "the certificate is not one registered for the application, or has expired; register it or enter another"
_POLICY = "a conditional access policy of the tenant blocks the application; exclude it there"

WHAT_TO_DO: Mapping[int, str] = {
    65001: _CONSENT,
    650052: "the tenant does not subscribe to what the application asks for; have an administrator consent again",
    650054: "the application asks for permissions that no longer exist; correct them in its registration",
    650056: _CONSENT,
    650057: "the application's registration lists no permission of Microsoft Graph; add them and consent again",
    90008: _CONSENT,
    90094: _CONSENT,
    90099: "the application is not authorized in the customer's tenant; consent to it there, or through Partner Center",
    501051: "the application has no role in the tenant, which asks for one; assign it there",
    700011: _UNKNOWN_APPLICATION,
    700016: _NO_APPLICATION,
    7000229: _UNKNOWN_APPLICATION,
    50059: _NO_TENANT,
    50128: _NO_TENANT,
    90002: _NO_TENANT,
    90019: _NO_TENANT,
    900021: _NO_TENANT,
    900023: "the tenant id is neither a GUID nor a domain; check it",
    5000224: "the tenant is blocked or gone; ask its owner",
    5000225: "Microsoft has blocked the tenant for being inactive; ask its owner whether it is still in use",
    90038: _OTHER_CLOUD,
    90051: _OTHER_CLOUD,
    900382: _OTHER_CLOUD,
    900432: _OTHER_CLOUD,
    70001: "the application is disabled; enable it in Microsoft Entra",
    7000112: "the application is disabled; enable it in Microsoft Entra",
    1000031: "the application cannot be used in the tenant at this time; ask one of its administrators",
    50001: "Microsoft Graph is disabled in the tenant or not of this cloud; enable its service principal",
    500011: "Microsoft Graph is not known in the tenant; check the tenant id and GRAPH_BASE_URL",
    500014: "Microsoft Graph is disabled in the tenant; enable its service principal",
    70002: "the client secret is wrong; enter the secret's value, not its id",
    7000215: "the client secret is wrong; enter the secret's value, not its id",
    7000216: "the client secret is missing; enter it",
    7000218: "the client secret is missing; enter it",
    7000222: "the client secret has expired; create a new one and enter it",
    700025: "the application is registered as a public client, which has no credentials; register it as confidential",
    50012: _CERTIFICATE,
    700027: _CERTIFICATE,
    700030: "the names in the certificate are not authorized for the application; register them or enter another",
    700024: "this machine's clock is wrong, so that what it signs is not valid now; set the clock",
    53003: _POLICY,
    530032: _POLICY,
    500021: "restrictions of the network this runs in keep it from the tenant; allow the tenant there",
    500022: "restrictions of the network this runs in keep it from the tenant; allow the tenant there",
}
"""The rest of a sentence by code: consent, tenant, cloud, application, credentials, policy."""
