"""Settings from the environment, parsed once; a wrong one names its variable, its value and what is accepted.

Every secret also takes a ``<NAME>_FILE`` form that holds a path to a file with the value.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.errors import SettingError


def _with_scheme(*schemes: str) -> BeforeValidator:
    """Accepts URLs of these schemes with a host, or for a socket a path."""

    def check(value: object) -> object:
        if isinstance(value, str):
            parts = urlsplit(value)
            if parts.scheme not in schemes or not (parts.netloc or parts.path):
                raise ValueError(f"use a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return BeforeValidator(check)


RedisUrl = Annotated[str, _with_scheme("redis", "rediss", "unix")]
NatsUrl = Annotated[str, _with_scheme("nats", "tls", "ws", "wss")]
BrokerUrl = Annotated[str, _with_scheme("redis", "rediss", "unix", "amqp", "amqps", "pyamqp")]
GraphUrl = Annotated[str, _with_scheme("https")]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _public(value: object) -> object:
    """Accepts an https URL; plain http on this machine only, which a local Graph may deliver to."""
    if isinstance(value, str):
        parts = urlsplit(value)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not secure or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("use the https:// URL under which Microsoft reaches `mspbyte web`")
        return value.rstrip("/")
    return value


PublicUrl = Annotated[str, BeforeValidator(_public)]
Percentage = Annotated[float, Field(ge=0, le=100)]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]
NameList = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(
        lambda value: (
            tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
        )
    ),
]


class Settings(BaseSettings):
    """Every setting of the system; attribute names are the environment's names in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    redis_url: RedisUrl | None = None
    nats_url: NatsUrl | None = None
    celery_broker_url: BrokerUrl | None = None
    secret_key: SecretStr | None = None
    """Fernet keys, comma separated: the first encrypts, all of them decrypt."""

    graph_base_url: GraphUrl = "https://graph.microsoft.com"
    graph_authority: GraphUrl = "https://login.microsoftonline.com"
    graph_ca_file: Path | None = None
    halopsa_ca_file: Path | None = None

    notification_url: PublicUrl | None = None
    """Where Microsoft reaches ``mspbyte web``; unset, no tenant is subscribed to and syncs are scheduled only."""

    feature_new_pipeline: bool = False
    feature_new_pipeline_rollout: Percentage | None = None
    feature_unified_analyzer: bool = Field(
        default=True, validation_alias=AliasChoices("feature_unified_analyzer", "use_unified_analyzer")
    )
    feature_unified_analyzer_rollout: Percentage | None = Field(
        default=None, validation_alias=AliasChoices("feature_unified_analyzer_rollout", "migration_percentage")
    )
    feature_alert_manager: bool = True
    feature_alert_manager_rollout: Percentage | None = None
    feature_batch_loading: bool = True
    feature_batch_loading_rollout: Percentage | None = None
    feature_performance_monitoring: bool = True
    feature_performance_monitoring_rollout: Percentage | None = None
    feature_comparison_mode: bool = Field(
        default=False, validation_alias=AliasChoices("feature_comparison_mode", "compare_analyzers")
    )
    feature_comparison_mode_rollout: Percentage | None = None
    feature_sti_entities: bool = False
    feature_sti_entities_rollout: Percentage | None = None
    unified_analyzer_tenants: NameList = ()

    slow_query_threshold_ms: int = Field(default=100, gt=0)
    max_debounce_window_ms: int = Field(default=300_000, ge=0)
    debounce_quiet_ms: int = Field(default=5_000, ge=0)
    max_concurrent_jobs: int = Field(default=5, ge=1)
    job_timeout_ms: int = Field(default=600_000, ge=1_000)
    step_heartbeat_ms: int = Field(default=5_000, ge=100)
    step_lost_after_ms: int = Field(default=20_000, ge=500)
    legacy_alert_delay_ms: int = Field(default=30_000, ge=0)
    """How long the legacy branch waits before alerts, to aggregate; the former system's 30 s."""
    full_read_interval_minutes: int = Field(default=1_440, ge=0, le=10_080)
    """How long changes alone are read before everything is read again; 0 reads everything each time."""
    capture_retention_days: int = Field(default=7, ge=1)
    run_retention_days: int = Field(default=90, ge=1)

    metrics_port: int = Field(default=9090, ge=0, le=65_535)
    web_port: int = Field(default=8080, ge=0, le=65_535)
    enable_prometheus: bool = True
    log_level: LogLevel = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What ``load_settings`` hands over, and nothing the library would read by itself."""
        return (init_settings,)

    def require(self, name: Literal["database_url", "redis_url", "nats_url"]) -> str:
        """The URL of a server; raises ``SettingError`` that names the variable when it is not set."""
        value: str | None = getattr(self, name)
        if value is None:
            raise SettingError(
                f"{name.upper()} is not set. Set it to your server's URL, or run `mspbyte up` to use the embedded one."
            )
        return value

    @property
    def broker_url(self) -> str:
        return self.celery_broker_url or self.require("redis_url")


REPLACED = {
    "USE_UNIFIED_ANALYZER": "FEATURE_UNIFIED_ANALYZER",
    "UNIFIED_ANALYZER_TENANTS": "a tenant override of unified_analyzer",
    "MIGRATION_PERCENTAGE": "FEATURE_UNIFIED_ANALYZER_ROLLOUT",
    "COMPARE_ANALYZERS": "FEATURE_COMPARISON_MODE",
}
"""Names of the former system that are still read."""


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; raises ``SettingError`` with one sentence per wrong variable."""
    given = dict(os.environ if environment is None else environment)
    for name, replacement in REPLACED.items():
        if given.get(name):
            warnings.warn(f"{name} is deprecated; use {replacement} instead.", DeprecationWarning, stacklevel=2)
    values = {name.lower(): value for name, value in given.items() if value != ""}
    values |= _from_files(given)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingError(_explain(error)) from None


def _from_files(given: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "NATS_URL", "CELERY_BROKER_URL"):
        path = given.get(f"{name}_FILE")
        if not path:
            continue
        try:
            found[name.lower()] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from None
    return found


def _explain(error: ValidationError) -> str:
    sentences = []
    for problem in error.errors():
        name = str(problem["loc"][0]).upper()
        hidden = "SECRET" in name or "URL" in name
        shown = "has a value that" if hidden else f"is {problem['input']!r}, which"
        sentences.append(f"{name} {shown} is not accepted: {_accepted(problem['type'], problem)}")
    return "\n".join(sentences)


def _accepted(kind: str, problem: Mapping[str, object]) -> str:
    if kind.startswith("bool"):
        return "use true or false."
    context = problem.get("ctx")
    if kind == "literal_error" and isinstance(context, dict):
        return f"use {context['expected']}."
    told = str(problem["msg"]).removeprefix("Value error, ")
    return f"{told[0].lower()}{told[1:]}."
