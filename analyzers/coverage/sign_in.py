"""One sign-in as Microsoft's what-if tool has it described, by default one of the baseline that coverage is judged by.

https://learn.microsoft.com/graph/api/resources/signinconditions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from analyzers.coverage.matching import OTHER


class ClientApp(StrEnum):
    """Kind of client; the last two are legacy clients."""

    BROWSER = "browser"
    MODERN = "mobileAppsAndDesktopClients"
    EXCHANGE_ACTIVE_SYNC = "exchangeActiveSync"
    OTHER = "other"


class Platform(StrEnum):
    """Platform of the device, as the client names it."""

    ANDROID = "android"
    IOS = "iOS"
    WINDOWS = "windows"
    WINDOWS_PHONE = "windowsPhone"
    MAC_OS = "macOS"
    LINUX = "linux"
    OTHER = "other"
    """One that no policy can name: policies for certain platforms do not cover it."""


class Device(StrEnum):
    """How the device stands to the tenant."""

    UNMANAGED = "unmanaged"
    """Not registered: every attribute that a filter could ask for is null."""
    COMPLIANT = "compliant"
    HYBRID = "hybrid"


class Risk(StrEnum):
    """Level of a risk, https://learn.microsoft.com/entra/id-protection/concept-identity-protection-risks."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class AuthenticationFlow(StrEnum):
    """How the sign-in is carried from one device to another; ``none`` for an ordinary one."""

    NONE = "none"
    DEVICE_CODE = "deviceCodeFlow"
    TRANSFER = "authenticationTransfer"


KNOWN_OF: Mapping[Device, Mapping[str, str]] = {
    Device.COMPLIANT: {"iscompliant": "true"},
    Device.HYBRID: {"trusttype": "serverad"},
}
"""What a filter for devices may take for given of a managed device. Nothing says whether a hybrid one is compliant."""
PROVES: Mapping[str, Device] = {"compliantDevice": Device.COMPLIANT, "domainJoinedDevice": Device.HYBRID}
"""The grant controls that only a managed device satisfies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """``app`` is an app's id, ``Office365``, ``MicrosoftAdminPortals``, or ``OTHER`` for one no policy names.

    ``location`` is a named location's id, ``matching.TRUSTED`` for a trusted place without an id, or ``OTHER`` for a
    place that is neither named nor trusted.
    """

    app: str = OTHER
    client: ClientApp = ClientApp.BROWSER
    platform: Platform = Platform.OTHER
    location: str = OTHER
    device: Device = Device.UNMANAGED
    sign_in_risk: Risk = Risk.NONE
    user_risk: Risk = Risk.NONE
    flow: AuthenticationFlow = AuthenticationFlow.NONE
