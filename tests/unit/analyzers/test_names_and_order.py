"""What things are called, and in which order they arrive, decides nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.coverage import UserCoverage, measure
from analyzers.unified import analyze
from graphsim.directory.tenants import generate
from graphsim.pages import capture_pages
from pipeline.domain.capture import COMPLETE, Page, Resource
from pipeline.domain.conditional_access import IncludeExclude, PolicyUsers
from pipeline.domain.findings import AnalysisResult, AnalysisType
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.providers.microsoft365.normalize import normalize
from tests.unit.analyzers.test_coverage_properties import tenants

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPECIAL = {"All", "None", "GuestsOrExternalUsers", "AllTrusted"}


class Renaming:
    """Other ids for users, groups, policies and places, in another order; role templates keep theirs everywhere."""

    def __init__(self, salt: int) -> None:
        self.salt = salt

    def of(self, key: str) -> str:
        return key if key in SPECIAL else hashlib.blake2b(f"{self.salt}{key}".encode(), digest_size=8).hexdigest()

    def all(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.of(key) for key in keys)

    def users(self, users: PolicyUsers) -> PolicyUsers:
        names = ("include_users", "exclude_users", "include_groups", "exclude_groups")
        return replace(users, **{name: self.all(getattr(users, name)) for name in names})  # type: ignore[arg-type] # by name

    def places(self, places: IncludeExclude) -> IncludeExclude:
        return IncludeExclude(include=self.all(places.include), exclude=self.all(places.exclude))

    def graph(self, graph: TenantGraph) -> TenantGraph:
        return replace(
            graph,
            identities={self.of(key): replace(one, id=self.of(key)) for key, one in graph.identities.items()},
            groups={self.of(key): replace(one, id=self.of(key)) for key, one in graph.groups.items()},
            groups_of={self.of(key): frozenset(self.all(groups)) for key, groups in graph.groups_of.items()},
            roles_of={self.of(key): roles for key, roles in graph.roles_of.items()},
            named_locations={self.of(key): replace(one, id=self.of(key)) for key, one in graph.named_locations.items()},
            policies={
                self.of(key): replace(
                    one, id=self.of(key), users=self.users(one.users), locations=self.places(one.locations)
                )
                for key, one in graph.policies.items()
            },
        )


def told(covered: UserCoverage, names: Renaming | None = None) -> tuple[object, ...]:
    policies = covered.policy_ids if names is None else names.all(covered.policy_ids)
    return covered.verdict, covered.reasons, frozenset(policies), covered.governed


@given(tenants(), st.integers())
@settings(max_examples=300, deadline=None)
def test_renaming_ids_changes_no_verdict(graph: TenantGraph, salt: int) -> None:
    names = Renaming(salt)

    after = measure(names.graph(graph))

    assert {key: told(one) for key, one in after.items()} == {
        names.of(key): told(one, names) for key, one in measure(graph).items()
    }


def analyzed(pages: Iterable[Page]) -> AnalysisResult:
    capture = normalize(pages, dict.fromkeys(Resource, COMPLETE))
    graph = build_graph(
        entities=capture.entities,
        pairs={kind: [(edge.parent_id, edge.child_id) for edge in edges] for kind, edges in capture.edges.items()},
        inputs=capture.outcomes,
    )
    return analyze(graph, frozenset(AnalysisType), NOW)


def shuffled(pages: list[Page], shuffler: Random) -> list[Page]:
    """The pages in another order, and what is on each too. Users come first: their details are told of them."""
    mixed = []
    for page in pages:
        document = json.loads(page.body)
        shuffler.shuffle(document["value"])
        mixed.append(replace(page, body=json.dumps(document).encode()))
    shuffler.shuffle(mixed)
    return mixed


@pytest.mark.parametrize("posture", range(5))
def test_the_order_of_pages_and_of_what_is_on_them_changes_nothing(posture: int) -> None:
    tenant = generate(seed="order", index=posture, size=120, now=NOW)
    pages = [Page(resource=Resource(kind), parent_id=parent, body=body) for kind, parent, body in capture_pages(tenant)]
    plain = analyzed(pages)

    for seed in range(5):
        assert analyzed(shuffled(pages, Random(seed))) == plain  # noqa: S311 - an order, not a secret
    assert plain.findings
