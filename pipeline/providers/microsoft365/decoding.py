"""Pages of raw JSON to typed payloads, by resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from pipeline.domain.capture import Page, Resource
from pipeline.errors import ProviderRejectedError
from pipeline.providers.microsoft365 import payloads

P = TypeVar("P", bound=payloads.Payload)

MENTIONS = msgspec.json.Decoder(payloads.ListPage[payloads.Mention])
USERS = msgspec.json.Decoder(payloads.ListPage[payloads.User])
LICENSE_HOLDERS = msgspec.json.Decoder(payloads.ListPage[payloads.LicenseHolder])
REGISTRATION_DETAILS = msgspec.json.Decoder(payloads.ListPage[payloads.RegistrationDetails])
GROUPS = msgspec.json.Decoder(payloads.ListPage[payloads.Group])
MEMBERS = msgspec.json.Decoder(payloads.ListPage[payloads.Member])
ROLES = msgspec.json.Decoder(payloads.ListPage[payloads.DirectoryRole])
POLICIES = msgspec.json.Decoder(payloads.ListPage[payloads.Policy])
NAMED_LOCATIONS = msgspec.json.Decoder(payloads.ListPage[payloads.NamedLocation])
STRENGTHS = msgspec.json.Decoder(payloads.ListPage[payloads.AuthenticationStrength])
SECURITY_DEFAULTS = msgspec.json.Decoder(payloads.ListPage[payloads.SecurityDefaults])
SKUS = msgspec.json.Decoder(payloads.ListPage[payloads.SubscribedSku])
ROLE_ASSIGNMENTS = msgspec.json.Decoder(payloads.ListPage[payloads.RoleAssignment])
ROLE_DEFINITIONS = msgspec.json.Decoder(payloads.ListPage[payloads.RoleDefinition])


def decoded(decoder: msgspec.json.Decoder[payloads.ListPage[P]], pages: Iterable[Page]) -> Iterator[tuple[str, P]]:
    """``(parent id, object)`` for each object of the pages; those that are named as removed are none.

    Raises ``ProviderRejectedError`` naming the resource and the JSON path when a page is not of Microsoft's shape.
    """
    for page in pages:
        for item in _values(decoder, page):
            yield page.parent_id, item


def mentions(pages: Iterable[Page]) -> Iterator[payloads.Mention]:
    """Each object of the pages, also those that are named as removed."""
    return (mention for page in pages for mention in _decode(MENTIONS, page))


def _values(decoder: msgspec.json.Decoder[payloads.ListPage[P]], page: Page) -> list[P]:
    if REMOVED not in page.body:
        return _decode(decoder, page)
    pairs = zip(_decode(decoder, page), _decode(MENTIONS, page), strict=True)
    return [value for value, mention in pairs if mention.removed is None]


def _decode(decoder: msgspec.json.Decoder[payloads.ListPage[P]], page: Page) -> list[P]:
    try:
        return decoder.decode(_storable(page.body)).value
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(page.resource, error) from error


REMOVED = b'"@removed"'
"""Stands in few pages, and says nothing there unless it is a property."""
NUL = b"\\u0000"
ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def _storable(body: bytes) -> bytes:
    """The page without NUL characters: PostgreSQL stores none, and one name must not keep a tenant from its syncs."""
    return ESCAPED_NUL.sub(rb"\1", body) if NUL in body else body


def malformed(resource: Resource, error: Exception) -> ProviderRejectedError:
    """The error for an answer that is not of Microsoft's shape; names the place, never a value."""
    reason = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
    return ProviderRejectedError(
        f"Microsoft's answer for {resource.value} is not of the documented shape: {reason}",
        code="malformedPayload",
        status=200,
    )
