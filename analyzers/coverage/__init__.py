"""The MFA coverage engine: for each user, how far MFA is demanded at sign-in, and why.

Shared by the rules that ask about policies. One step a module, in the order they build on each other:

- ``matching``, ``device_filter``: what a condition covers.
- ``situations``: the grid of baseline situations and each policy's footprint on it, as bit masks.
- ``demands``: whether a policy's controls make sure of MFA.
- ``scope``, ``roster``: which policies concern a user, exclusion winning, three-valued.
- ``gaps``: what a single policy leaves open, in words.
- ``plan``: a tenant's policies prepared once.
- ``verdict``: full, partial, none or blocked from the policies in scope.
- ``explain``: reason codes, deciding policies, half a sentence.
- ``judgement``: the verdict with per-user MFA, security defaults and doubts.
- ``engine``: all users, one evaluation for each distinct signature.
- ``barriers``: whether policies stop somebody in certain situations at all.
- ``sign_in``, ``conditions``, ``policy_answers``, ``what_if``: one user and one situation, policy by policy.

Registration of methods is another question and not asked here.
"""

from analyzers.coverage.engine import REFERRED_TO, Coverage, measure, measure_one
from analyzers.coverage.judgement import UserCoverage
from analyzers.coverage.scope import Doubt

__all__ = ["REFERRED_TO", "Coverage", "Doubt", "UserCoverage", "measure", "measure_one"]
