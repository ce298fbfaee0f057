"""Keeping the subscriptions to change notifications: what is due is gathered, decided by ``plan``, and done."""

from __future__ import annotations

import hashlib
import random
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from pipeline.domain.providers import Provider
from pipeline.domain.runs import DataSource, Trigger
from pipeline.domain.subscriptions import (
    LIFECYCLE_PATH,
    NOTIFICATIONS_PATH,
    SYNC_TYPE_OF,
    Action,
    Candidate,
    Step,
    WantedAction,
)
from pipeline.errors import PipelineError, TransientError
from pipeline.providers.microsoft365.subscriptions import Microsoft365Subscriptions
from pipeline.storage import subscriptions as stored
from pipeline.storage.database import Database
from pipeline.storage.schedules import Debounce, request_sync
from pipeline.storage.tenants import list_sources

log = structlog.get_logger(__name__)

LASTS = timedelta(days=28)
"""A day less than Microsoft allows."""
SPREAD = timedelta(days=2)
"""Up to so much less, by chance, so that tenants added together are not renewed together."""
RENEW_BEFORE = timedelta(days=7)
"""A quarter of the lifetime: weeks of trouble with a tenant do not end its subscriptions."""
MOST = 64
"""Actions a tick; the rest is due a minute later."""
AT_ONCE = 8
"""Tenants that are asked at the same time."""
TENANT_SECONDS = 20.0
"""For all that is to be done in one tenant; others wait for the thread."""
BEGIN_WITHIN = 10.0
"""Seconds of a tick after which no tenant is begun, so that a tick ends within 30: its worker has more to do."""
LEASE = timedelta(minutes=10)
"""What a killed worker was at is tried again after this; much longer than a tick takes."""
STATE_BYTES = 48
"""64 characters of ``clientState``; Microsoft allows 128."""
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

OpenSubscriptions = Callable[[DataSource], Microsoft365Subscriptions]


def plan(candidates: Iterable[Candidate], now: datetime, *, url: str | None, pauses: bool = True) -> list[Action]:
    """What to do, in the candidates' order. Pure.

    ``url`` is where notifications go; without one every subscription is to end. ``pauses=False`` tries again at once
    what failed before.
    """
    found = (_action(one, now, url, pauses=pauses) for one in candidates)
    return [action for action in found if action is not None]


def _action(one: Candidate, now: datetime, url: str | None, *, pauses: bool) -> Action | None:
    before = one.stored
    if pauses and before and before.next_attempt_at and before.next_attempt_at > now:
        return None
    stands = before.id if before and before.id and before.expires_at and before.expires_at > now else None
    step = _step(one, now, url, stands=stands is not None)
    if step is None:
        return None
    wanted = before.wanted if before else WantedAction.NOTHING
    return Action(step=step, scope=one.scope, resource=one.resource, subscription_id=stands, wanted=wanted)


def _step(one: Candidate, now: datetime, url: str | None, *, stands: bool) -> Step | None:
    before = one.stored
    if not one.wanted or url is None:
        return Step.DELETE if before else None
    if one.refused:
        return None
    if not before or not stands or before.url != url or before.wanted is WantedAction.RECREATE:
        return Step.CREATE
    ends_soon = before.expires_at is not None and before.expires_at - now <= RENEW_BEFORE
    return Step.RENEW if ends_soon or before.wanted is WantedAction.REAUTHORIZE else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """How many actions were done, failed and wait for their next attempt, or were left to the next tick."""

    done: int = 0
    failed: int = 0
    left: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeper:
    """Does what is due. ``url`` is the base the paths are put behind, ``None`` for no notifications."""

    database: Database
    open_subscriptions: OpenSubscriptions = field(repr=False)
    url: str | None
    debounce: Debounce
    clock: Callable[[], float] = time.monotonic
    """In seconds, for how long a tick takes."""

    def keep(self, now: datetime, *, tenant_id: int | None = None, pauses: bool = True) -> Kept:
        """One tick, for one tenant or for all; a tenant that fails does not hold up the others.

        What is due is found and claimed by a constant number of statements; what there is no time for is due at the
        next tick. An error that is none of a tenant's is
        raised when all tenants are done.
        """
        began = self.clock()
        url = self.url and self.url + NOTIFICATIONS_PATH
        with self.database.begin() as connection:
            found = stored.candidates(
                connection,
                now,
                provider=Provider.MICROSOFT365,
                resources=tuple(SYNC_TYPE_OF),
                url=url,
                horizon=now + RENEW_BEFORE,
                most=MOST,
                tenant_id=tenant_id,
                at_once=not pauses,
            )
            planned = plan(found, now, url=url, pauses=pauses)
            if not planned:
                return Kept()
            actions = stored.claim(connection, planned, now, until=now + LEASE, at_once=not pauses)
            sources = {source.scope: source for source in list_sources(connection)}
        by_source: dict[DataSource, list[Action]] = defaultdict(list)
        for action in actions:
            by_source[sources[action.scope]].append(action)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="subscriptions") as pool:
            parts = list(pool.map(partial(self._keep_source, now, began), by_source.keys(), by_source.values()))
        kept = Kept(
            done=sum(part.done for part in parts),
            failed=sum(part.failed for part in parts),
            left=sum(part.left for part in parts),
        )
        log.info("subscriptions_kept", done=kept.done, failed=kept.failed, left=kept.left)
        return kept

    def _keep_source(self, now: datetime, began: float, source: DataSource, actions: Sequence[Action]) -> Kept:
        """What became of the actions. With the first, the rest of a source fails, for its tenant is what refuses."""
        if self.clock() - began > BEGIN_WITHIN:
            with self.database.begin() as connection:
                for action in actions:
                    stored.release(connection, action)
            return Kept(left=len(actions))
        todo = list(actions)
        try:
            with self.open_subscriptions(source) as there:
                while todo:
                    self._do(there, source, todo[0], now)
                    todo.pop(0)
        except PipelineError as error:
            log.warning("subscription_failed", source=source.scope.source_id, error=type(error).__name__)
            asked_for = (error.retry_after or 0.0) if isinstance(error, TransientError) else 0.0
            since = timedelta(seconds=self.clock() - began)
            with self.database.begin() as connection:
                for action in todo:
                    stored.fail(connection, action, str(error), now + since, asked_for=timedelta(seconds=asked_for))
        return Kept(done=len(actions) - len(todo), failed=len(todo))

    def _do(self, there: Microsoft365Subscriptions, source: DataSource, action: Action, now: datetime) -> None:
        if action.step is Step.DELETE:
            if action.subscription_id:
                there.delete(action.subscription_id)
            with self.database.begin() as connection:
                stored.drop(connection, action)
        elif action.step is Step.CREATE or not self._renewed(there, action, now):
            self._create(there, source, action, now)

    def _renewed(self, there: Microsoft365Subscriptions, action: Action, now: datetime) -> bool:
        """False when Microsoft has no such subscription any more."""
        if action.subscription_id is None:
            return False
        expires_at = there.renew(action.subscription_id, _end(now))
        if expires_at is None:
            return False
        with self.database.begin() as connection:
            stored.renew(connection, action, expires_at)
        return True

    def _create(self, there: Microsoft365Subscriptions, source: DataSource, action: Action, now: datetime) -> None:
        """Makes one, after ending what stands and what an attempt whose answer was lost has left."""
        if self.url is None:
            raise ValueError("a subscription is planned only where there is an address for it")
        url = self.url + NOTIFICATIONS_PATH
        for subscription_id in self._left(there, action, url):
            there.delete(subscription_id)
        named = source.external_tenant_id
        directory_id = named if GUID.fullmatch(named) else there.directory_id()
        state = secrets.token_urlsafe(STATE_BYTES)
        made = there.create(
            action.resource,
            url=url,
            lifecycle_url=self.url + LIFECYCLE_PATH,
            client_state=state,
            expires_at=_end(now),
        )
        new = stored.NewSubscription(
            id=made.id,
            directory_id=directory_id,
            url=url,
            client_state_hash=hashlib.sha256(state.encode()).digest(),
            expires_at=made.expiration_date_time,
        )
        with self.database.begin() as connection:
            there_still = stored.record(connection, action, new, now)
            if there_still:
                # What changed while there was none, or before its row stood here, was told to nobody.
                kinds = {SYNC_TYPE_OF[action.resource]}
                request_sync(connection, action.scope, kinds, now, trigger=Trigger.WEBHOOK, debounce=self.debounce)
        if not there_still:
            there.delete(made.id)

    def _left(self, there: Microsoft365Subscriptions, action: Action, url: str) -> Set[str]:
        """What is to be ended before a new one is made. Another source may be of the same directory: its own stand."""
        found = {subscription_id.lower() for subscription_id in there.of_url(action.resource, url)}
        if action.subscription_id is not None:
            found.add(action.subscription_id)
        if not found:
            return found
        with self.database.begin() as connection:
            return found - stored.of_others(connection, action.scope, found)


def _end(now: datetime) -> datetime:
    """When a subscription made or renewed now is to end."""
    return (now + LASTS - SPREAD * random.random()).replace(microsecond=0)  # noqa: S311 - chance, not secrecy
