"""Settings: a wrong one names itself, secrets are never echoed, and the former names still work."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from pipeline.errors import SettingError
from pipeline.settings import REPLACED, Settings, load_settings

SECRET = "do-not-show-me"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process was started with is not what a test is about."""
    for name in os.environ:
        if name.lower() in Settings.model_fields or name in REPLACED:
            monkeypatch.delenv(name)


def refusal(**environment: str) -> str:
    with pytest.raises(SettingError) as caught:
        load_settings(environment)
    return str(caught.value)


def test_nothing_set_gives_the_documented_defaults() -> None:
    found = load_settings({})

    assert (found.slow_query_threshold_ms, found.max_debounce_window_ms, found.max_concurrent_jobs) == (100, 300_000, 5)
    assert (found.job_timeout_ms, found.metrics_port, found.enable_prometheus, found.log_level) == (
        600_000,
        9090,
        True,
        "info",
    )
    assert (found.feature_new_pipeline, found.feature_new_pipeline_rollout) == (False, None)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("FEATURE_NEW_PIPELINE", "maybe", "true or false"),
        ("ENABLE_PROMETHEUS", "2", "true or false"),
        ("FEATURE_NEW_PIPELINE_ROLLOUT", "100.5", "less than or equal to 100"),
        ("FEATURE_NEW_PIPELINE_ROLLOUT", "-1", "greater than or equal to 0"),
        ("FEATURE_NEW_PIPELINE_ROLLOUT", "nan", "100"),
        ("FEATURE_NEW_PIPELINE_ROLLOUT", "half", "valid number"),
        ("MAX_CONCURRENT_JOBS", "0", "greater than or equal to 1"),
        ("JOB_TIMEOUT_MS", "10 minutes", "valid integer"),
        ("METRICS_PORT", "70000", "65535"),
        ("SLOW_QUERY_THRESHOLD_MS", "0", "greater than 0"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'auto', 'json' or 'console'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_the_value_and_what_is_accepted(
    name: str, value: str, accepted: str
) -> None:
    told = refusal(**{name: value})

    assert told.startswith(f"{name} is {value!r}, which is not accepted: ")
    assert accepted in told
    assert told.endswith(".")


def test_every_wrong_value_is_told_at_once() -> None:
    told = refusal(METRICS_PORT="x", LOG_LEVEL="loud").splitlines()

    assert sorted(line.split()[0] for line in told) == ["LOG_LEVEL", "METRICS_PORT"]


def test_secrets_are_shown_neither_by_the_settings_nor_by_a_refusal() -> None:
    found = load_settings({"SECRET_KEY": SECRET})

    assert SECRET not in f"{found!r} {found}"
    assert SECRET not in refusal(SECRET_KEY=SECRET, METRICS_PORT="x")
    assert found.secret_key is not None
    assert found.secret_key.get_secret_value() == SECRET


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "NATS_URL", "CELERY_BROKER_URL"])
def test_a_secret_may_stand_in_a_file_which_wins(name: str, tmp_path: Path) -> None:
    scheme = {"REDIS_URL": "redis://", "NATS_URL": "nats://", "CELERY_BROKER_URL": "amqp://"}.get(name, "")
    path = tmp_path / "secret"
    path.write_text(f"{scheme}{SECRET}\n")

    found = load_settings({f"{name}_FILE": str(path), name: f"{scheme}another"})

    value = getattr(found, name.lower())
    assert (value.get_secret_value() if name == "SECRET_KEY" else value) == f"{scheme}{SECRET}"


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("REDIS_URL", "http://x", "redis://"),
        ("NATS_URL", "foo", "nats://"),
        ("CELERY_BROKER_URL", "ftp://x", "amqp://"),
        ("GRAPH_BASE_URL", "nothttps", "https://"),
    ],
)
def test_a_url_of_another_kind_is_refused_with_the_kinds_that_are_accepted(
    name: str, value: str, accepted: str
) -> None:
    said = refusal(**{name: value})

    assert said.startswith(f"{name} has a value that is not accepted: use a URL that begins with ")
    assert accepted in said


def test_a_secrets_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert refusal(SECRET_KEY_FILE=str(missing)) == (
        f"SECRET_KEY_FILE names {missing}, which cannot be read: No such file or directory."
    )


@pytest.mark.parametrize(
    ("old", "value", "attribute", "expected", "replacement"),
    [
        ("USE_UNIFIED_ANALYZER", "false", "feature_unified_analyzer", False, "FEATURE_UNIFIED_ANALYZER"),
        ("MIGRATION_PERCENTAGE", "25", "feature_unified_analyzer_rollout", 25, "FEATURE_UNIFIED_ANALYZER_ROLLOUT"),
        ("COMPARE_ANALYZERS", "true", "feature_comparison_mode", True, "FEATURE_COMPARISON_MODE"),
        ("UNIFIED_ANALYZER_TENANTS", "a, b,,", "unified_analyzer_tenants", ("a", "b"), "override of unified_analyzer"),
    ],
)
def test_a_former_name_is_read_with_a_warning_that_names_the_new_one(
    old: str, value: str, attribute: str, expected: object, replacement: str
) -> None:
    with pytest.deprecated_call(match=f"{old} is deprecated; use .*{replacement}"):
        found = load_settings({old: value})

    assert getattr(found, attribute) == expected


def test_where_both_names_are_set_the_new_one_wins() -> None:
    with pytest.deprecated_call():
        found = load_settings({"COMPARE_ANALYZERS": "true", "FEATURE_COMPARISON_MODE": "false"})

    assert found.feature_comparison_mode is False


def test_a_wrong_value_under_a_former_name_is_told_by_that_name() -> None:
    with pytest.deprecated_call():
        assert refusal(MIGRATION_PERCENTAGE="101").startswith("MIGRATION_PERCENTAGE is '101'")


@pytest.mark.parametrize(
    "name", ["FEATURE_NEW_PIPELINE", "METRICS_PORT", "DATABASE_URL", "SECRET_KEY_FILE", "LOG_LEVEL"]
)
def test_empty_is_unset(name: str) -> None:
    assert load_settings({name: ""}) == load_settings({})


def test_a_former_name_that_is_empty_is_unset_and_not_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_settings({"COMPARE_ANALYZERS": ""})


def test_the_given_environment_is_the_only_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURE_NEW_PIPELINE", "true")

    assert load_settings({}).feature_new_pipeline is False


@pytest.mark.parametrize("name", ["database_url", "redis_url", "nats_url"])
def test_a_server_that_is_needed_and_not_named_is_asked_for_in_one_sentence(name: str) -> None:
    settings = load_settings({})

    with pytest.raises(SettingError, match=f"^{name.upper()} is not set. Set it to .*mspbyte up"):
        settings.require(name)  # type: ignore[arg-type]  # a literal, by name


def test_the_broker_is_redis_unless_another_is_named() -> None:
    redis = {"REDIS_URL": "redis://here"}

    assert load_settings(redis).broker_url == "redis://here"
    assert load_settings({**redis, "CELERY_BROKER_URL": "amqp://there"}).broker_url == "amqp://there"


def test_log_levels_are_read_in_any_case() -> None:
    assert load_settings({"LOG_LEVEL": "WARNING"}).log_level == "warning"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://mspbyte.example.com/", "https://mspbyte.example.com"),
        ("https://example.com/below/", "https://example.com/below"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_microsoft_or_a_local_graph_can_deliver_to_is_kept_without_its_last_slash(
    given: str, kept: str
) -> None:
    assert load_settings({"NOTIFICATION_URL": given}).notification_url == kept


@pytest.mark.parametrize("given", ["http://mspbyte.example.com", "mspbyte.example.com", "https://x/?a=b", "https://"])
def test_an_address_microsoft_cannot_deliver_to_is_refused(given: str) -> None:
    assert "use the https:// URL under which Microsoft reaches" in refusal(NOTIFICATION_URL=given)
