"""How the source of a run is opened: the composition of each provider's client, beside ``wiring``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from pipeline.domain.providers import Provider
from pipeline.domain.runs import Run, Trigger
from pipeline.errors import SettingError
from pipeline.providers.halopsa.auth import Credentials as HaloCredentials
from pipeline.providers.halopsa.auth import TokenCache
from pipeline.providers.halopsa.instance import instance
from pipeline.providers.halopsa.source import HaloPsaSource
from pipeline.providers.microsoft365.auth import Credentials, TokenStore
from pipeline.providers.microsoft365.source import Microsoft365Source
from pipeline.providers.microsoft365.throttling.fallback import open_store
from pipeline.providers.microsoft365.throttling.store import PaceStore
from pipeline.providers.source import TenantSource
from pipeline.providers.trust import trusting
from pipeline.settings import Settings
from pipeline.stages.capture import OpenSource
from pipeline.storage.credentials import Vault


def provider_openers(settings: Settings) -> Mapping[str, OpenSource]:
    """How a source of each provider is opened. What a process shares over its runs is made here, once."""
    keys = Vault(settings.secret_key)
    return {
        Provider.MICROSOFT365: partial(_microsoft365, settings, keys, TokenStore(), open_store(settings.redis_url)),
        Provider.HALOPSA: partial(_halopsa, settings, keys, TokenCache()),
    }


def open_provider(openers: Mapping[str, OpenSource], run: Run) -> TenantSource:
    """The source of the run's tenant, with its credentials opened."""
    opener = openers.get(run.source.provider)
    if opener is None:
        unknown = f"{run.source.tenant} has a source of the unknown provider {run.source.provider}"
        raise SettingError(f"{unknown}; known are {', '.join(openers)}.")
    return opener(run)


def _microsoft365(settings: Settings, keys: Vault, tokens: TokenStore, pace: PaceStore, run: Run) -> TenantSource:
    return Microsoft365Source(
        Credentials(
            tenant_id=run.source.external_tenant_id,
            client_id=run.source.client_id,
            credential=keys.open(run.source.credentials),
        ),
        base_url=settings.graph_base_url,
        authority=settings.graph_authority,
        ca_path=settings.graph_ca_file,
        store=tokens,
        pace=pace,
        deadline=_monotonic(run.deadline_at),
        scheduled=run.trigger is Trigger.SCHEDULE,
    )


def _halopsa(settings: Settings, keys: Vault, tokens: TokenCache, run: Run) -> TenantSource:
    secret = keys.open(run.source.credentials)
    if not isinstance(secret, str):
        raise SettingError(f"HaloPSA takes a client secret; `mspbyte source credentials {run.source.tenant}` sets it.")
    return HaloPsaSource(
        instance(run.source.external_tenant_id),
        HaloCredentials(client_id=run.source.client_id, client_secret=secret),
        trust=trusting(settings.halopsa_ca_file, "HALOPSA_CA_FILE"),
        tokens=tokens,
        deadline=_monotonic(run.deadline_at),
    )


def _monotonic(moment: datetime) -> float:
    """The moment on this process's monotonic clock."""
    return time.monotonic() + (moment - datetime.now(UTC)).total_seconds()
