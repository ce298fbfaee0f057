"""Microsoft Graph v1.0 as a function of a request: routing, query options, answers. No HTTP server in here."""

from __future__ import annotations

from urllib.parse import urlencode

from graphsim.directory.tenants import Json
from graphsim.policies import access
from graphsim.protocol import querying, schema
from graphsim.protocol.errors import (
    GraphError,
    not_found,
    not_simulated,
    permission_missing,
    unknown_segment,
    unsupported_query,
)
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.protocol.odata import Query, header, read_query, read_skip_token, write_skip_token
from graphsim.protocol.schema import EntityShape
from graphsim.reading.collection import KEY, WHOLE, Collection
from graphsim.reading.listing import Wanted, page, single
from graphsim.reading.lists import COLLECTIONS
from graphsim.reading.operations import OPERATIONS
from graphsim.reading.paths import match, matching, path_segments
from graphsim.reading.reads import Place, find_group, find_user
from graphsim.world import membership
from graphsim.world.state import TenantState

VERSION = "v1.0"
_CASTS = {
    shape.type_name.lower(): shape for shape in (schema.USER, schema.GROUP, schema.ROLE, schema.SERVICE_PRINCIPAL)
}
_REAL_SEGMENTS = frozenset(
    """auditLogs contacts contracts deviceManagement devices directory directoryObjects drives groupLifecyclePolicies
    identityGovernance identityProtection identityProviders me places policies reports roleManagement security sites
    teams tenantRelationships""".lower().split()
)


def answer(state: TenantState, request: GraphRequest) -> Answer:
    """The answer to a request; refusals are raised as ``GraphError``."""
    if not state.consent:
        raise permission_missing(request.path)
    segments = path_segments(request.path)
    operation = matching(OPERATIONS, segments)
    if operation:
        return operation(state, request)
    return Answer(body=_read(state, request, segments))


def _read(state: TenantState, request: GraphRequest, segments: list[str]) -> bytes:
    for collection in COLLECTIONS:
        key = match(collection.path, segments)
        if key is not None:
            _only_get(request)
            return _list(state, request, collection, key)
        if collection.members:
            key = match(collection.path, segments[:-1])
            if key is not None and segments[-1].lower() in _CASTS:
                return _list(state, request, collection, key, cast=_CASTS[segments[-1].lower()].type_name)
    return _object(state, request, segments)


def _only_get(request: GraphRequest) -> None:
    if request.method != "GET":
        raise not_simulated(f"{request.method} on this resource")


def _list(state: TenantState, request: GraphRequest, collection: Collection, key: str, cast: str = "") -> bytes:
    shape = _CASTS.get(cast.lower(), collection.shape)
    query = read_query(request.parameters, supported=collection.options, shape=shape)
    eventual = header(request.headers, "consistencylevel").lower() == "eventual"
    querying.check(query, shape, eventual=eventual)
    if cast and not (eventual and query.count):
        raise unsupported_query("A type cast needs the header ConsistencyLevel: eventual and $count=true.")
    scope = f"{request.path}|{state.page_generation}"
    start = read_skip_token(state.tenant.key, scope, query.skip_token) if query.skip_token else 0
    wanted = Wanted(
        collection=collection,
        query=query,
        place=Place(key=key, start=start, ids_only=query.select == ("id",) and not query.chooses),
        cast=cast,
        count=query.count and (eventual or not collection.advanced),
    )

    def link(position: int) -> str:
        kept = [pair for pair in request.parameters if pair[0].lower() != "$skiptoken"]
        token = write_skip_token(state.tenant.key, scope, position)
        return f"{request.service}/{request.path}?{urlencode([*kept, ('$skiptoken', token)], safe='$,')}"

    return page(state, wanted, service=request.service, link=link)


def _object(state: TenantState, request: GraphRequest, segments: list[str]) -> bytes:
    lowered = [segment.lower() for segment in segments]
    match lowered:
        case ["policies", "identitysecuritydefaultsenforcementpolicy"]:
            body = access.security_defaults(state.tenant)
            context = "policies/identitySecurityDefaultsEnforcementPolicy/$entity"
            return _one(state, request, body, schema.SECURITY_DEFAULTS, context)
        case ["users", _]:
            return _one(state, request, state.user(find_user(state, segments[1])), schema.USER, "users/$entity")
        case ["groups", _]:
            body = membership.group_body(state, find_group(state, segments[1]))
            return _one(state, request, body, schema.GROUP, "groups/$entity")
        case ["identity", "conditionalaccess", "policies", key]:
            found = [policy for policy in state.policies() if policy["id"] == key]
            if not found:
                raise not_found(key)
            return _one(state, request, found[0], schema.POLICY, "identity/conditionalAccess/policies/$entity")
        case [first, *_] if first in _REAL_SEGMENTS:
            raise not_simulated(f"'{segments[0]}'")
    raise _unknown(lowered, segments)


def _one(state: TenantState, request: GraphRequest, body: Json, shape: EntityShape, context: str) -> bytes:
    _only_get(request)
    query: Query = read_query(request.parameters, supported=WHOLE, shape=shape)
    return single(state, body, shape=shape, query=query, context=f"{request.service}/$metadata#{context}")


def _unknown(lowered: list[str], segments: list[str]) -> GraphError:
    """Names the first segment that no path known here has at that place."""
    candidates = [collection.path for collection in COLLECTIONS]
    for place, segment in enumerate(lowered):
        candidates = [
            path for path in candidates if place < len(path) and (path[place] == KEY or path[place].lower() == segment)
        ]
        if not candidates:
            return unknown_segment(segments[place])
    return unknown_segment(segments[-1])
