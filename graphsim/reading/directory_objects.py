"""Objects of any type by id, and what has no object: a user's manager, the caller, the metadata."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError, bad_request, delegated_only, not_found, not_simulated
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.protocol.odata import Query, read_query
from graphsim.protocol.schema import MEMBER
from graphsim.reading.collection import WHOLE
from graphsim.reading.listing import reduced
from graphsim.reading.paths import path_segments
from graphsim.reading.reads import find_user
from graphsim.reading.relations import directory_object
from graphsim.world.state import TenantState

MOST_IDS = 1000


class _Wanted(msgspec.Struct, frozen=True):
    ids: list[str]
    types: list[str] = []


def one(state: TenantState, request: GraphRequest) -> Answer:
    """https://learn.microsoft.com/graph/api/directoryobject-get"""
    if request.method != "GET":
        raise not_simulated(f"{request.method} on this resource")
    query = read_query(request.parameters, supported=WHOLE, shape=MEMBER)
    found = reduced(state, directory_object(state, path_segments(request.path)[-1]), MEMBER, query)
    return _written(request, {**found}, "directoryObjects/$entity")


def by_ids(state: TenantState, request: GraphRequest) -> Answer:
    """https://learn.microsoft.com/graph/api/directoryobject-getbyids: ids that nothing has are left out."""
    if request.method != "POST":
        raise bad_request("Resource not found for the segment 'getByIds'.")
    try:
        wanted = msgspec.json.decode(request.body, type=_Wanted)
    except msgspec.DecodeError as error:
        raise bad_request(f"Unable to read JSON request payload. {error}") from None
    if len(wanted.ids) > MOST_IDS:
        raise bad_request(f"Too many ids were given: {len(wanted.ids)} are more than {MOST_IDS}.")
    types = {f"#microsoft.graph.{name.removeprefix('microsoft.graph.').lower()}" for name in wanted.types}
    told = {"#microsoft.graph.directoryobject"}
    value = [
        reduced(state, found, MEMBER, Query())
        for found in _found(state, wanted.ids)
        if not types or types & {str(found["@odata.type"]).lower(), *told}
    ]
    return _written(request, {"value": value}, "directoryObjects")


def _found(state: TenantState, ids: list[str]) -> Iterator[Json]:
    for key in dict.fromkeys(ids):
        try:
            yield directory_object(state, key)
        except GraphError:
            continue


def manager(state: TenantState, request: GraphRequest) -> Answer:
    """Nobody here has one: https://learn.microsoft.com/graph/api/user-list-manager answers 404 then."""
    find_user(state, path_segments(request.path)[1])
    raise not_found("manager")


def me(_state: TenantState, _request: GraphRequest) -> Answer:
    """Applications are nobody."""
    raise delegated_only()


def metadata(_state: TenantState, _request: GraphRequest) -> Answer:
    raise not_simulated("The metadata document")


def _written(request: GraphRequest, body: Json, context: str) -> Answer:
    return Answer(body=msgspec.json.encode({"@odata.context": f"{request.service}/$metadata#{context}", **body}))
