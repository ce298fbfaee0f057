"""How the exporter shows subscriptions and what came through them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from pipeline import wiring
from pipeline.observability.metrics.families import of_ledger
from pipeline.observability.metrics.reading import LedgerReader
from pipeline.settings import load_settings
from pipeline.storage import tenants
from pipeline.storage.database import Database

pytestmark = pytest.mark.servers

NOW = wiring.now()


@pytest.fixture
def reader(database: Database) -> LedgerReader:
    with database.begin() as connection:
        for number in range(2):
            scope = tenants.add_source(
                connection,
                tenants.add_tenant(connection, f"tenant-{number}"),
                tenants.NewSource(provider="microsoft365", external_tenant_id="x", client_id="", credentials=b""),
                NOW,
            )
            connection.execute(
                text(
                    "INSERT INTO notification_subscriptions"
                    " (source_id, tenant_id, resource, subscription_id, expires_at, failures, notifications,"
                    "  created_at)"
                    " VALUES (:source, :tenant, 'users', :id, :ends, :failures, 7, :now)"
                ),
                {
                    "source": scope.source_id,
                    "tenant": scope.tenant_id,
                    "id": f"subscription-{number}",
                    "ends": NOW + timedelta(days=1 - 2 * number),
                    "failures": number,
                    "now": NOW,
                },
            )
    return LedgerReader(database, load_settings({}), lambda: NOW)


def shown(reader: LedgerReader) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in of_ledger(reader.read())
        for sample in family.samples
        if "notifications" in sample.name or "subscriptions" in sample.name
    }


def test_subscriptions_are_counted_by_how_they_stand_and_notifications_never_go_down(
    reader: LedgerReader, database: Database
) -> None:
    assert shown(reader) == {
        ("mspbyte_notifications_total", "users"): 14,
        ("mspbyte_subscriptions", "users", "standing"): 1,
        ("mspbyte_subscriptions", "users", "failing"): 1,
    }

    with database.begin() as connection:
        connection.execute(text("DELETE FROM notification_subscriptions WHERE failures > 0"))

    assert shown(reader)["mspbyte_notifications_total", "users"] == 14
