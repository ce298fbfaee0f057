"""A local Microsoft Graph v1.0 and Entra token endpoint over generated tenants. Stands alone: imports no pipeline.

Start at ``serve`` (a running simulator), ``simulator`` (its tenants and settings) and ``app`` (its routes). A request
passes ``trouble``, is understood by ``protocol`` and answered by ``reading``, ``deltas`` or ``notifying`` out of
``directory`` and ``policies``, which generate a tenant, and ``world``, which knows what has happened to it since.
``sign_in`` is Entra; ``control`` and ``traffic_control`` are the ``/_sim`` routes; ``halopsa`` is another server.
"""
