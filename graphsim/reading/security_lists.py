"""The lists that security reviews ask for."""

from __future__ import annotations

from graphsim.protocol.security_schema import (
    GROUP_SETTING,
    PERMISSION_GRANT,
    RISKY_USER,
    SCHEDULE_INSTANCE,
    SECURE_SCORE,
    SIGN_IN,
)
from graphsim.reading import consents, security_reads, tenant_settings
from graphsim.reading.collection import Collection, at

SIGN_INS = Collection(
    path=at("auditLogs/signIns"),
    resource="signIns",
    context="auditLogs/signIns",
    shape=SIGN_IN,
    entries=security_reads.sign_ins,
)
RISKY_USERS = Collection(
    path=at("identityProtection/riskyUsers"),
    resource="riskyUsers",
    context="identityProtection/riskyUsers",
    shape=RISKY_USER,
    entries=security_reads.risky_users,
    limit=500,
)
SECURE_SCORES = Collection(
    path=at("security/secureScores"),
    resource="secureScores",
    context="security/secureScores",
    shape=SECURE_SCORE,
    entries=security_reads.secure_scores,
)
SCHEDULE_INSTANCES = Collection(
    path=at("roleManagement/directory/roleAssignmentScheduleInstances"),
    resource="roleAssignmentScheduleInstances",
    context="roleManagement/directory/roleAssignmentScheduleInstances",
    shape=SCHEDULE_INSTANCE,
    entries=security_reads.schedule_instances,
)
PERMISSION_GRANTS = Collection(
    path=at("oauth2PermissionGrants"),
    resource="oauth2PermissionGrants",
    context="oauth2PermissionGrants",
    shape=PERMISSION_GRANT,
    entries=consents.permission_grants,
    advanced=True,
)
GROUP_SETTINGS = Collection(
    path=at("groupSettings"),
    resource="groupSettings",
    context="groupSettings",
    shape=GROUP_SETTING,
    entries=tenant_settings.group_settings,
    paged=False,
)
SECURITY = (SIGN_INS, RISKY_USERS, SECURE_SCORES, SCHEDULE_INSTANCES, PERMISSION_GRANTS, GROUP_SETTINGS)
