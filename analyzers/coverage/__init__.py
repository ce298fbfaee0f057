"""The MFA coverage engine: for each user, how far MFA is demanded at sign-in, and why.

Shared by the analyzers that ask about policies. The ten steps, each in a module of its own:

1. ``scope``: which policies concern a user, exclusion winning, three-valued.
2. ``matching`` and ``device_filter``: what a condition covers.
3. ``situations``: the grid of baseline situations and each policy's footprint on it, as bit masks.
4. ``demands``: whether a policy's controls make sure of MFA.
5. ``plan``: a tenant's policies prepared once.
6. ``verdict``: full, partial, none or blocked from the policies in scope.
7. ``explain``: reason codes, deciding policies, half a sentence.
8. ``engine``: all users, one evaluation for each distinct signature, security defaults and per-user MFA.

Registration of methods is another question and not asked here.
"""

from analyzers.coverage.engine import TenantCoverage, UserCoverage, measure, measure_one
from analyzers.coverage.scope import Doubt

__all__ = ["Doubt", "TenantCoverage", "UserCoverage", "measure", "measure_one"]
