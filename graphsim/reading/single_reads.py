"""Single objects that are found by looking through their list, objects of which a tenant has one, and bare counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graphsim.directory.roles import role
from graphsim.directory.tenants import Json, Tenant
from graphsim.policies import tenant_policies
from graphsim.protocol import querying, schema, security_schema
from graphsim.protocol.errors import not_found, not_simulated, unsupported_query
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.protocol.odata import header, read_query
from graphsim.protocol.schema import EntityShape
from graphsim.reading import authentication_methods, directory_objects, lists, tenant_settings
from graphsim.reading.collection import KEY, WHOLE, Collection, queries
from graphsim.reading.listing import Wanted, single, total
from graphsim.reading.paths import path_segments
from graphsim.reading.reads import Place, find_role
from graphsim.reading.security_lists import SECURITY
from graphsim.world.state import TenantState

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
    *SECURITY,
)
_COUNTED = (
    lists.USERS,
    lists.GROUPS,
    lists.APPLICATIONS,
    lists.SERVICE_PRINCIPALS,
    *(collection for collection in lists.COLLECTIONS if collection.members and collection.advanced),
)
_ALTERNATE = "appId="


def _by_id(collection: Collection) -> _Read:
    def read(state: TenantState, request: GraphRequest) -> Answer:
        wanted = _key(request)
        if collection.advanced and wanted == "delta":
            raise not_simulated(f"The delta of {collection.context}")
        named, by = (wanted.removeprefix(_ALTERNATE).strip("'"), "appId") if _ALTERNATE in wanted else (wanted, "id")
        for _, body in collection.entries(state, Place()):
            if body.get(by) == named:
                return _entity(state, request, body, collection.shape, collection.context)
        raise not_found(wanted)

    return read


def _directory_role(state: TenantState, request: GraphRequest) -> Answer:
    body = role(state.tenant, find_role(state, _key(request)))
    return _entity(state, request, body, schema.ROLE, "directoryRoles")


def _only(body: Callable[[Tenant], Json], shape: EntityShape, context: str) -> _Read:
    return lambda state, request: _entity(state, request, body(state.tenant), shape, context)


def _method_configuration(state: TenantState, request: GraphRequest) -> Answer:
    wanted = _key(request)
    for body in authentication_methods.configurations(state.tenant):
        if str(body["id"]).lower() == wanted.lower():
            context = "policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
            return _entity(state, request, body, security_schema.METHOD_CONFIGURATION, context)
    raise not_found(wanted)


def _count(collection: Collection) -> _Read:
    """Text, not JSON, and only with ``ConsistencyLevel: eventual``: https://learn.microsoft.com/graph/aad-advanced-queries."""

    def read(state: TenantState, request: GraphRequest) -> Answer:
        _only_get(request)
        if header(request.headers, "consistencylevel").lower() != "eventual":
            raise unsupported_query("$count is not currently supported.")
        query = read_query(request.parameters, supported=queries(collection.shape), shape=collection.shape)
        querying.check(replace(query, count=True), collection.shape, eventual=True)
        keyed = KEY in collection.path
        key = path_segments(request.path)[collection.path.index(KEY)] if keyed else ""
        counted = total(
            state, Wanted(collection=collection, query=query, place=Place(key=key, ids_only=not query.chooses))
        )
        return Answer(body=str(counted).encode(), headers={"Content-Type": "text/plain"})

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
    return path_segments(request.path)[-1]


SINGLE_READS: tuple[tuple[tuple[str, ...], _Read], ...] = (
    *(((*collection.path, "$count"), _count(collection)) for collection in _COUNTED),
    *(((*collection.path, KEY), _by_id(collection)) for collection in _FOUND_BY_ID),
    (("directoryRoles", KEY), _directory_role),
    (
        ("policies", "authorizationPolicy"),
        _only(tenant_policies.authorization_policy, schema.AUTHORIZATION_POLICY, "policies/authorizationPolicy"),
    ),
    (("directoryObjects", "getByIds"), directory_objects.by_ids),
    (("directoryObjects", KEY), directory_objects.one),
    (("users", KEY, "manager"), directory_objects.manager),
    (("me",), directory_objects.me),
    (("$metadata",), directory_objects.metadata),
    (("policies", "authenticationMethodsPolicy", "authenticationMethodConfigurations", KEY), _method_configuration),
    (
        ("policies", "authenticationMethodsPolicy"),
        _only(
            authentication_methods.policy,
            security_schema.AUTHENTICATION_METHODS_POLICY,
            "policies/authenticationMethodsPolicy",
        ),
    ),
    (
        ("policies", "crossTenantAccessPolicy", "default"),
        _only(
            tenant_settings.cross_tenant_default,
            security_schema.CROSS_TENANT_DEFAULT,
            "policies/crossTenantAccessPolicy/default",
        ),
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
