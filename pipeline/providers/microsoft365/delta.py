"""Rounds of delta queries: which objects changed since a link was given, and nothing of what they are now.

https://learn.microsoft.com/graph/delta-query-overview
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import structlog

from pipeline.errors import DeadlineExceededError, PermanentError, PipelineError, ProviderRejectedError
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.payloads import Mention
from pipeline.providers.microsoft365.refusals import ExpiredPageTokenError

log = structlog.get_logger(__name__)

MOST_CHANGES = 1000
"""Objects of a list that are read again one by one. They are 50 batches, as many requests as a full reading of 25,000
users takes; and so much at once is an import or a migration, after which a full reading is due anyway."""

ROUND_ATTEMPTS = 3
"""Tries of a round whose page token expires."""

PURGED = "deleted"
"""The reason of what is gone for good; ``changed`` is in the recycle bin and may have been restored since."""


class DeltaPage(msgspec.Struct):
    """One page of a round: another one follows it, or the link for the next round."""

    value: list[Mention]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The ids a round names: those to look at again, and those that are gone without a look."""

    again: frozenset[str] = frozenset()
    purged: frozenset[str] = frozenset()

    def joined(self, mentions: Iterable[Mention]) -> Named:
        """With more mentions, which come in any order and more than once: whatever is named as anything but purged is
        looked at, for the look has the last word."""
        told = [(mention.id, mention.removed is not None and mention.removed.reason == PURGED) for mention in mentions]
        again = self.again.union(name for name, purged in told if not purged)
        return Named(again=again, purged=self.purged.union(name for name, purged in told if purged) - again)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What changed, and the link by which the next round takes up."""

    named: Named
    link: str = field(repr=False)


async def latest(client: GraphClient, path: str) -> str:
    """A link from which changes will be told from now on; empty, and logged, where none can be had."""
    try:
        return (await _round(client, client.address(path))).link
    except PipelineError as error:
        log.info("graph_delta_unavailable", error=type(error).__name__, code=getattr(error, "code", ""))
        return ""


async def changes_since(client: GraphClient, link: str) -> Round | None:
    """The round that begins at ``link``; ``None``, and logged, where a full reading has to take its place.

    That is so when the link is not valid any more (410, or 40x with ``syncStateNotFound`` or ``resyncRequired``), is
    not Graph's or is refused for good in whichever words, when its pages keep expiring, and when so much changed that
    a full reading is cheaper. Raises ``TransientError``, and ``DeadlineExceededError``.
    """
    for _ in range(ROUND_ATTEMPTS):
        try:
            found = await _round(client, link)
        except ExpiredPageTokenError:
            log.info("graph_delta_restarted")
        except DeadlineExceededError:
            raise
        except PermanentError as error:
            log.info("graph_delta_refused", error=type(error).__name__, code=getattr(error, "code", ""))
            return None
        else:
            return found if len(found.named.again) <= MOST_CHANGES else None
    return None


async def _round(client: GraphClient, first: str) -> Round:
    """Followed to its end, or until it is too long to be of use."""
    named, link = Named(), first
    followed: set[str] = set()
    while link not in followed and len(named.again) <= MOST_CHANGES:
        followed.add(link)
        page = await client.read_page(link, DeltaPage)
        named = named.joined(page.value)
        if page.delta_link is not None:
            return Round(named=named, link=page.delta_link)
        link = page.next_link or link
    if len(named.again) > MOST_CHANGES:
        return Round(named=named, link="")
    raise ProviderRejectedError("Microsoft's changes lead to no end", code="noDeltaLink", status=200)
