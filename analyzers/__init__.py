"""Verdicts on a tenant: pure functions over one frozen tenant graph and ``now``.

Nothing here does I/O or reads a clock; only the standard library and ``pipeline.domain`` are imported. One file
answers one question (``mfa``, ``policy``, ``license``, ``stale``) and imports none of the others. What several of
them need stands apart and is shared: ``coverage`` (the engine), ``privileged``, ``activity``, ``facts``.
``catalogue`` lists the rules, ``unified`` runs them.
"""
