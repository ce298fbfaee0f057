"""Single objects that are found by looking through their list, objects of which a tenant has one, and bare counts."""

from __future__ import annotations

from collections.abc import Callable

from graphsim import lists, schema, tenant_policies
from graphsim.collection import KEY, WHOLE, Collection
from graphsim.errors import not_found, not_simulated, unsupported_query
from graphsim.exchange import Answer, GraphRequest
from graphsim.listing import single, total
from graphsim.odata import header, read_query
from graphsim.reads import Place, find_role
from graphsim.roles import role
from graphsim.schema import EntityShape
from graphsim.state import TenantState
from graphsim.tenants import Json, Tenant

_Read = Callable[[TenantState, GraphRequest], Answer]
_FOUND_BY_ID = (
    lists.NAMED_LOCATIONS,
    lists.STRENGTHS,
    lists.SKUS,
    lists.ORGANIZATION,
    lists.ROLE_ASSIGNMENTS,
    lists.ROLE_DEFINITIONS,
    lists.ROLE_TEMPLATES,
    lists.SUBSCRIPTIONS,
    lists.APPLICATIONS,
    lists.SERVICE_PRINCIPALS,
    lists.DOMAINS,
)
_COUNTED = (lists.USERS, lists.GROUPS, lists.APPLICATIONS, lists.SERVICE_PRINCIPALS)


def _by_id(collection: Collection) -> _Read:
    def read(state: TenantState, request: GraphRequest) -> Answer:
        wanted = _key(request)
        if collection.advanced and wanted == "delta":
            raise not_simulated(f"The delta of {collection.context}")
        for _, body in collection.entries(state, Place()):
            if body["id"] == wanted:
                return _entity(state, request, body, collection.shape, collection.context)
        raise not_found(wanted)

    return read


def _directory_role(state: TenantState, request: GraphRequest) -> Answer:
    body = role(state.tenant, find_role(state, _key(request)))
    return _entity(state, request, body, schema.ROLE, "directoryRoles")


def _only(body: Callable[[Tenant], Json], shape: EntityShape, context: str) -> _Read:
    return lambda state, request: _entity(state, request, body(state.tenant), shape, context)


def _count(collection: Collection) -> _Read:
    """Text, not JSON, and only with ``ConsistencyLevel: eventual``: https://learn.microsoft.com/graph/aad-advanced-queries."""

    def read(state: TenantState, request: GraphRequest) -> Answer:
        _only_get(request)
        if header(request.headers, "consistencylevel").lower() != "eventual":
            raise unsupported_query("$count is not currently supported.")
        return Answer(body=str(total(state, collection)).encode(), headers={"Content-Type": "text/plain"})

    return read


def _entity(state: TenantState, request: GraphRequest, body: Json, shape: EntityShape, context: str) -> Answer:
    _only_get(request)
    supported = WHOLE | {"$expand"} if shape.navigation else WHOLE
    query = read_query(request.parameters, supported=supported, shape=shape)
    named = f"{request.service}/$metadata#{context}/$entity"
    return Answer(body=single(state, body, shape=shape, query=query, context=named))


def _only_get(request: GraphRequest) -> None:
    if request.method != "GET":
        raise not_simulated(f"{request.method} on this resource")


def _key(request: GraphRequest) -> str:
    """The id in ``applications/id`` and ``applications('id')``."""
    last = request.path.strip("/").split("/")[-1].removesuffix("()")
    return last.partition("(")[2].removesuffix(")").strip("'") or last


SINGLE_READS: tuple[tuple[tuple[str, ...], _Read], ...] = (
    *(((*collection.path, "$count"), _count(collection)) for collection in _COUNTED),
    *(((*collection.path, KEY), _by_id(collection)) for collection in _FOUND_BY_ID),
    (("directoryRoles", KEY), _directory_role),
    (
        ("policies", "authorizationPolicy"),
        _only(tenant_policies.authorization_policy, schema.AUTHORIZATION_POLICY, "policies/authorizationPolicy"),
    ),
    (
        ("policies", "adminConsentRequestPolicy"),
        _only(
            tenant_policies.admin_consent_request_policy,
            schema.ADMIN_CONSENT_REQUEST_POLICY,
            "policies/adminConsentRequestPolicy",
        ),
    ),
)
"""By path; to be tried after what has a name of its own in a key's place, such as ``directoryRoles/delta``."""
