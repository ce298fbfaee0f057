"""Reading simulated tenants, and what a reading of changes makes of the readings before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from graphsim.serve import RunningSimulator
from pipeline.domain.capture import ENTITY_TYPE_OF, Edge, NormalizedCapture, Page, ReadOutcome, Resource
from pipeline.domain.entities import Entity, EntityType, Identity, RelationshipType
from pipeline.domain.unread import kept_from
from pipeline.providers.microsoft365.auth import Credentials, TokenStore
from pipeline.providers.microsoft365.source import Microsoft365Source
from pipeline.providers.retry import Clock
from pipeline.providers.source import IN_FULL, Since, TenantSource
from pipeline.stages.link import NEEDS


async def at_once(_seconds: float) -> None:
    """Nobody waits in a test."""


def simulated_source(simulator: RunningSimulator, index: int, store: TokenStore | None = None) -> Microsoft365Source:
    """A simulated tenant over HTTPS, read by a clock on which waiting takes no time."""
    known = simulator.credentials(index)
    return Microsoft365Source(
        Credentials(tenant_id=known.tenant_id, client_id=known.client_id, credential=known.client_secret),
        base_url=simulator.base_url,
        authority=simulator.base_url,
        ca_path=simulator.ca_path,
        store=store,
        clock=Clock(sleep=at_once),
    )


def normalized(
    source: TenantSource, pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome]
) -> NormalizedCapture:
    """The reading in the domain's terms, without the tokens: each reading has its own."""
    kept = list(pages)
    plain = {resource: replace(outcome, token="") for resource, outcome in outcomes.items()}
    return NormalizedCapture(entities=source.entities(kept), edges=source.edges(kept), outcomes=plain)


@dataclass
class Store:
    """What a database keeps of one tenant's readings, in memory and without hurry."""

    entities: dict[EntityType, dict[str, Entity]] = field(default_factory=dict)
    edges: dict[RelationshipType, set[Edge]] = field(default_factory=dict)
    tokens: dict[Resource, str] = field(default_factory=dict)
    outcomes: Mapping[Resource, ReadOutcome] = field(default_factory=dict)

    def read(
        self,
        source: TenantSource,
        resources: Iterable[Resource],
        *,
        since: Since = IN_FULL,
        meanwhile: Callable[[Page], None] = lambda _: None,
    ) -> list[Page]:
        """Reads and applies; the pages that came. ``meanwhile`` is told of each as it comes."""
        pages: list[Page] = []

        def sink(page: Page) -> None:
            pages.append(page)
            meanwhile(page)

        self.outcomes = source.read(tuple(resources), sink, since=since)
        self.tokens |= {key: outcome.token for key, outcome in self.outcomes.items() if outcome.token}
        self._keep(source, pages)
        self._relate(source, pages)
        return pages

    def changes(self) -> Since:
        """What makes the next reading one of changes, sign-in activity with the users included."""
        return {**self.tokens, Resource.SIGN_IN_ACTIVITY: "read"}

    def standing(self) -> Mapping[RelationshipType, set[Edge]]:
        """The relationships whose ends are both known."""
        known = {(kind, key) for kind, found in self.entities.items() for key in found}
        return {
            kind: {
                edge
                for edge in edges
                if {(edge.parent_type, edge.parent_id), (edge.child_type, edge.child_id)} <= known
            }
            for kind, edges in self.edges.items()
        }

    def _keep(self, source: TenantSource, pages: list[Page]) -> None:
        partly = {ENTITY_TYPE_OF[key] for key in self._changed() if key in ENTITY_TYPE_OF}
        whole = {ENTITY_TYPE_OF[key] for key in self.outcomes if key in ENTITY_TYPE_OF} - partly
        found = source.entities(pages)
        for kind in whole:
            self.entities[kind] = dict(found[kind])
        removed = source.changes(pages).removed
        for kind in partly:
            stored = self.entities[kind]
            stored |= {key: self._completed(stored.get(key), entity) for key, entity in found[kind].items()}
            self.entities[kind] = {key: stored[key] for key in stored.keys() - removed.get(kind, frozenset())}

    def _completed(self, stored: Entity | None, fresh: Entity) -> Entity:
        if isinstance(stored, Identity) and isinstance(fresh, Identity):
            return kept_from(stored, fresh, self.outcomes)
        return fresh

    def _relate(self, source: TenantSource, pages: list[Page]) -> None:
        told, found = source.changes(pages), source.edges(pages)
        changed = self._changed()
        for kind, needs in NEEDS.items():
            edges, stored = set(found.get(kind, ())), self.edges.get(kind, set())
            if changed.isdisjoint(needs) and self.outcomes.keys() >= set(needs):
                self.edges[kind] = edges
                continue
            parents, children = told.parents.get(kind, frozenset()), told.children.get(kind, frozenset())
            self.edges[kind] = edges | {
                edge for edge in stored if edge.parent_id not in parents and edge.child_id not in children
            }

    def _changed(self) -> set[Resource]:
        return {key for key, outcome in self.outcomes.items() if outcome.changes_only}
