"""The composition of what keeps the subscriptions to change notifications; beside ``wiring``, on the same parts."""

from __future__ import annotations

import time
from functools import partial

from pipeline.domain.runs import DataSource
from pipeline.providers.microsoft365.auth import Credentials, TokenStore
from pipeline.providers.microsoft365.source import Microsoft365Source
from pipeline.providers.microsoft365.subscriptions import Microsoft365Subscriptions
from pipeline.providers.retry import RetryPolicy
from pipeline.settings import Settings
from pipeline.stages.notifications import debounce_of
from pipeline.stages.subscriptions import TENANT_SECONDS, Keeper
from pipeline.storage.credentials import Vault
from pipeline.storage.database import Database

ONCE = RetryPolicy(attempts=1, list_attempts=1)
"""What fails waits for the row's next attempt: a request to make a subscription must not be repeated blindly."""


def build_keeper(settings: Settings, database: Database) -> Keeper:
    """Made once per process, after any fork."""
    opener = partial(_open_subscriptions, settings, Vault(settings.secret_key), TokenStore())
    return Keeper(
        database=database,
        open_subscriptions=opener,
        url=settings.notification_url,
        debounce=debounce_of(settings),
    )


def _open_subscriptions(
    settings: Settings, keys: Vault, tokens: TokenStore, source: DataSource
) -> Microsoft365Subscriptions:
    """Without a limiter: a handful of requests a month for each tenant."""
    tenant = Microsoft365Source(
        Credentials(
            tenant_id=source.external_tenant_id,
            client_id=source.client_id,
            credential=keys.open(source.credentials),
        ),
        base_url=settings.graph_base_url,
        authority=settings.graph_authority,
        ca_path=settings.graph_ca_file,
        store=tokens,
        deadline=time.monotonic() + TENANT_SECONDS,
        scheduled=True,
        read_timeout=TENANT_SECONDS,
        retry=ONCE,
    )
    return Microsoft365Subscriptions(tenant.connected)
