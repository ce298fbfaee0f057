"""Reading a tenant: which lists, how each ended, and what that means for the whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import pytest

from pipeline.domain.capture import COMPLETE, Page, ReadOutcome, Resource
from pipeline.domain.providers import Provider, resources_of
from pipeline.errors import (
    DeadlineExceededError,
    PipelineError,
    ProviderRejectedError,
    ProviderUnavailableError,
    ServerUnavailableError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.conclusion import NO_PREMIUM, Reading, Readings, concluded
from pipeline.providers.microsoft365.reading import TenantReading
from pipeline.providers.microsoft365.refusals import MissingPermissionError, NonPremiumTenantError

if TYPE_CHECKING:
    from tests.unit.providers.conftest import ScriptedGraph

EVERYTHING = resources_of(Provider.MICROSOFT365)
REGISTRATIONS = "/reports/authenticationMethods/userRegistrationDetails"
DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
NOT_PREMIUM = (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")


def whole(graph: ScriptedGraph) -> ScriptedGraph:
    graph.on("/users", graph.page({"id": "u"}))
    graph.on("/groups", graph.page({"id": "g"}, {"id": "h"}, {"id": "g"}))
    graph.on("/groups/g/members", graph.page({"id": "u", "@odata.type": "#microsoft.graph.user"}))
    graph.on("/groups/h/members", graph.page())
    graph.on("/directoryRoles", graph.page({"id": "o", "roleTemplateId": "r"}))
    graph.on("/directoryRoles/o/members", graph.page())
    graph.on(DEFAULTS, graph.raw(b'{"id": "d", "isEnabled": false}'))
    graph.otherwise = graph.page()
    return graph


def read(
    graph: ScriptedGraph, wanted: Collection[Resource] = EVERYTHING, *, deadline: float | None = None
) -> tuple[Readings, list[Page]]:
    pages: list[Page] = []

    async def work(client: GraphClient) -> Readings:
        return await TenantReading(client, pages.append).read(wanted)

    return graph.run(work, deadline=deadline), pages


def reasons(readings: Readings) -> Mapping[Resource, str]:
    return {key: reading.outcome.reason for key, reading in readings.items() if not reading.outcome.complete}


def test_everything_is_read_and_said_to_be_complete(graph: ScriptedGraph) -> None:
    readings, pages = read(whole(graph))
    assert concluded(readings) == dict.fromkeys(EVERYTHING, COMPLETE)
    inside = {Resource.SIGN_IN_ACTIVITY, Resource.GROUP_MEMBERS, Resource.ROLE_MEMBERS}
    assert {(page.resource, page.parent_id) for page in pages} == {
        *((resource, "") for resource in set(EVERYTHING) - inside),
        (Resource.GROUP_MEMBERS, "g"),
        (Resource.GROUP_MEMBERS, "h"),
        (Resource.ROLE_MEMBERS, "o"),
    }
    paths = [request.url.path.removeprefix("/v1.0") for request in graph.requests]
    assert len(paths) == len(set(paths)) + 1, "nothing is asked for twice, not even of a group listed twice"
    assert sorted(graph.batches) == [
        ["/directoryRoles/o/members?$select=id"],
        ["/groups/g/members?$select=id&$top=999", "/groups/h/members?$select=id&$top=999"],
    ]


def test_security_defaults_become_a_page_of_one(graph: ScriptedGraph) -> None:
    _, pages = read(whole(graph), [Resource.SECURITY_DEFAULTS])
    assert [page.body for page in pages] == [b'{"value":[{"id": "d", "isEnabled": false}]}']


def test_users_alone_are_read_without_sign_in_activity_in_larger_pages(graph: ScriptedGraph) -> None:
    read(whole(graph), [Resource.USERS])
    before, query = (request.url.query for request in graph.requests)
    assert before.startswith("$deltatoken=latest&$select=id,")
    assert "signInActivity" not in before + query
    assert "$top=999" in query


def test_without_a_premium_licence_users_are_read_without_sign_in_activity(graph: ScriptedGraph) -> None:
    refusal = graph.error(*NOT_PREMIUM)
    whole(graph).on("/users", refusal, refusal, refusal, graph.page({"id": "u"})).on(REGISTRATIONS, refusal)
    readings, pages = read(graph)
    assert reasons(readings) == dict.fromkeys((Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS), NO_PREMIUM)
    assert sum(page.resource is Resource.USERS for page in pages) == 1


def test_a_missing_permission_for_sign_ins_costs_the_sign_ins_only(graph: ScriptedGraph) -> None:
    refusal = graph.error(403, "Authentication_MSGraphPermissionMissing")
    readings, _ = read(whole(graph).on("/users", refusal, graph.page({"id": "u"})))
    assert set(reasons(readings)) == {Resource.SIGN_IN_ACTIVITY}
    assert "AuditLog.Read.All" in reasons(readings)[Resource.SIGN_IN_ACTIVITY]


def test_a_missing_permission_costs_its_list_and_is_named(graph: ScriptedGraph) -> None:
    whole(graph).on("/identity/conditionalAccess/policies", graph.error(403, "AccessDenied"))
    readings, _ = read(graph)
    assert reasons(readings) == {
        Resource.POLICIES: "Microsoft refuses it (AccessDenied); the application needs the permission Policy.Read.All"
    }


def test_without_the_list_of_groups_there_are_no_members(graph: ScriptedGraph) -> None:
    readings, pages = read(whole(graph).on("/groups", graph.error(501, "NotImplemented")))
    assert set(reasons(readings)) == {Resource.GROUPS, Resource.GROUP_MEMBERS}
    assert not any(page.resource is Resource.GROUP_MEMBERS for page in pages)


def test_one_group_that_cannot_be_read_makes_all_members_incomplete(graph: ScriptedGraph) -> None:
    readings, _ = read(whole(graph).on("/groups/h/members", graph.error(503, "x")))
    assert reasons(readings) == {Resource.GROUP_MEMBERS: "Microsoft answers 503 (x)"}


@pytest.mark.parametrize(("batch", "requests"), [(None, 27), ((501, "NotImplemented"), 503)])
def test_members_of_five_hundred_groups_take_twenty_five_batches(
    graph: ScriptedGraph, batch: tuple[int, str] | None, requests: int
) -> None:
    """Without batches every group takes a request of its own, after one batch in vain."""
    graph.on("/groups", graph.page(*({"id": str(number)} for number in range(500))))
    graph.otherwise = graph.page()
    if batch:
        graph.on("/$batch", graph.error(*batch))
    readings, pages = read(graph, [Resource.GROUPS, Resource.GROUP_MEMBERS])
    assert reasons(readings) == {}
    assert {page.parent_id for page in pages} == {"", *map(str, range(500))}
    assert len(graph.requests) == requests


def test_a_group_that_was_deleted_meanwhile_misses_no_members(graph: ScriptedGraph) -> None:
    readings, _ = read(whole(graph).on("/groups/h/members", graph.error(404, "Request_ResourceNotFound")))
    assert reasons(readings) == {}


def test_the_pages_of_a_list_that_broke_off_are_passed_on_as_incomplete(graph: ScriptedGraph) -> None:
    link = "https://graph.test/v1.0/next"
    whole(graph).on("/users", graph.page({"id": "u"}, next_link=link)).on("/next", graph.error(503, "x"))
    readings, pages = read(graph)
    assert set(reasons(readings)) == {Resource.USERS, Resource.SIGN_IN_ACTIVITY}
    assert sum(page.resource is Resource.USERS for page in pages) == 1


def test_a_fault_of_the_sink_comes_out_as_it_is(graph: ScriptedGraph) -> None:
    def full(_: Page) -> None:
        raise ServerUnavailableError("the database is gone")

    async def work(client: GraphClient) -> Readings:
        return await TenantReading(client, full).read(EVERYTHING)

    with pytest.raises(ServerUnavailableError):
        whole(graph).run(work)


def test_consent_withdrawn_makes_the_tenant_unreachable(graph: ScriptedGraph) -> None:
    graph.otherwise = graph.error(403, "Authorization_RequestDenied")
    readings, pages = read(graph)
    with pytest.raises(TenantUnreachableError) as caught:
        concluded(readings)
    assert caught.value.code == "Authorization_RequestDenied"
    assert pages == []


@pytest.mark.parametrize("wanted", [[Resource.USERS, Resource.GROUPS], EVERYTHING])
def test_users_that_are_refused_make_the_tenant_unreachable_whatever_else_can_be_read(
    graph: ScriptedGraph, wanted: Collection[Resource]
) -> None:
    """Else the alert would come and go with what a run happens to read beside them."""
    readings, _ = read(whole(graph).on("/users", graph.error(403, "Authorization_RequestDenied")), wanted)
    with pytest.raises(TenantUnreachableError, match="have one of its administrators consent") as caught:
        concluded(readings)
    assert caught.value.code == "Authorization_RequestDenied"


@pytest.mark.parametrize(
    ("resource", "path", "code", "permission"),
    [
        (Resource.POLICIES, "/identity/conditionalAccess/policies", "AccessDenied", "Policy.Read.All"),
        (Resource.REGISTRATION_DETAILS, REGISTRATIONS, "Authentication_MSGraphPermissionMissing", "AuditLog.Read.All"),
        (Resource.SKUS, "/subscribedSkus", "Authorization_RequestDenied", "LicenseAssignment.Read.All"),
        (Resource.ROLE_ASSIGNMENTS, "/roleManagement", "UnknownError", "RoleManagement.Read.Directory"),
        (Resource.GROUPS, "/groups", "a code Microsoft has yet to make up", "Group.Read.All"),
    ],
)
def test_a_list_alone_that_is_refused_is_no_unreachable_tenant_whatever_the_code(
    graph: ScriptedGraph, resource: Resource, path: str, code: str, permission: str
) -> None:
    graph.otherwise = graph.error(403, code)
    readings, _ = read(graph.on(path, graph.error(403, code)), [resource])
    outcome = concluded(readings)[resource]
    assert not outcome.complete
    assert outcome.refused
    assert outcome.reason == f"Microsoft refuses it ({code}); the application needs the permission {permission}"


def test_a_token_that_is_refused_anew_speaks_of_the_tenant_whatever_was_asked_for(graph: ScriptedGraph) -> None:
    graph.otherwise = graph.error(401, "Authorization_IdentityNotFound")
    readings, _ = read(graph, [Resource.POLICIES, Resource.NAMED_LOCATIONS])
    with pytest.raises(TenantUnreachableError) as caught:
        concluded(readings)
    assert caught.value.code == "Authorization_IdentityNotFound"


def test_an_empty_list_of_users_is_no_empty_tenant(graph: ScriptedGraph) -> None:
    whole(graph).on("/users", graph.page(), graph.page())
    readings, _ = read(graph)
    assert {*reasons(readings)} == {Resource.USERS, Resource.SIGN_IN_ACTIVITY}
    assert "empty list of users" in reasons(readings)[Resource.USERS]


def test_one_missing_permission_is_no_unreachable_tenant_where_users_were_not_asked_for(graph: ScriptedGraph) -> None:
    graph.otherwise = graph.error(403, "Authorization_RequestDenied")
    readings, _ = read(graph, [Resource.SKUS])
    assert not concluded(readings)[Resource.SKUS].complete


def test_an_outage_is_transient_and_no_empty_tenant(graph: ScriptedGraph) -> None:
    graph.otherwise = graph.error(503, "serviceNotAvailable")
    readings, _ = read(graph)
    with pytest.raises(ProviderUnavailableError):
        concluded(readings)


def test_a_deadline_that_passes_is_said_so(graph: ScriptedGraph) -> None:
    graph.time.now = 1.0
    readings, _ = read(whole(graph), deadline=1.0)
    with pytest.raises(DeadlineExceededError):
        concluded(readings)


REFUSED = TenantUnreachableError("refused", code="x")
DENIED = MissingPermissionError("denied", code="x", status=403)
DOWN = ProviderUnavailableError("down")
THROTTLED = ThrottledError("throttled", retry_after=30)
REJECTED = ProviderRejectedError("rejected", code="x", status=400)
LATE = DeadlineExceededError("late")
NO_LICENCE = NonPremiumTenantError("no licence", code="x", status=403)


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        ([REFUSED, REFUSED], REFUSED),
        ([REFUSED, None], REFUSED),
        ([REFUSED, DOWN], REFUSED),
        ([REFUSED, LATE], REFUSED),
        ([DOWN, REFUSED], DOWN),
        ([DOWN, DENIED], DOWN),
        ([REJECTED, THROTTLED], THROTTLED),
        ([None, LATE], LATE),
        ([REJECTED, REJECTED], None),
        ([None, DENIED], None),
        ([None, REFUSED], None),
        ([REJECTED, DENIED], None),
        ([None, DOWN], None),
        ([NO_LICENCE], None),
        ([None, None], None),
        ([], None),
    ],
)
def test_the_whole_is_judged_by_all_its_parts(errors: list[PipelineError | None], raised: PipelineError | None) -> None:
    """The first of them are the users."""
    readings = {key: Reading(error=error, permission="P") for key, error in zip(Resource, errors, strict=False)}
    if raised is None:
        expected = {
            key: COMPLETE if error is None else reading_of(error) for key, error in zip(readings, errors, strict=True)
        }
        assert concluded(readings) == expected
    else:
        with pytest.raises(type(raised)) as caught:
            concluded(readings)
        assert caught.value is raised


def reading_of(error: PipelineError) -> ReadOutcome:
    texts = {
        REFUSED: "Microsoft refuses it (x); the application needs the permission P",
        DENIED: "Microsoft refuses it (x); the application needs the permission P",
        DOWN: "down",
        REJECTED: "rejected",
        NO_LICENCE: NO_PREMIUM,
    }
    return ReadOutcome(complete=False, reason=texts[error], refused=error in (REFUSED, DENIED, NO_LICENCE))
