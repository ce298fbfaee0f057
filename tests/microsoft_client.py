"""Microsoft's own Python client, signed in to a simulator with azure-identity. Its modules load when asked for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from graphsim.serve import RunningSimulator
from graphsim.world.state import TenantState

Untyped = Any
"""The SDK's modules are not followed by mypy: there are 16,700 of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Signed in to one tenant. ``client`` is Microsoft's and untyped here, as its modules are not followed."""

    state: TenantState
    client: Any
    run: Callable[[Awaitable[Untyped]], Untyped]

    def pages(self, first: Awaitable[Any]) -> list[Any]:
        """Every object of a list, read by the SDK's own iterator."""
        from msgraph_core.tasks.page_iterator import PageIterator  # noqa: PLC0415 - loads for long

        found: list[Any] = []

        async def collect() -> None:
            iterator = PageIterator(await first, self.client.request_adapter)
            await iterator.iterate(lambda one: found.append(one) or True)  # type: ignore[func-returns-value] # goes on

        self.run(collect())
        return found


async def _awaited(asked: Awaitable[Untyped]) -> Untyped:
    return await asked


@contextmanager
def signing_in(running: RunningSimulator) -> Iterator[Callable[[int], Session]]:
    """``sign_in(index)`` with azure-identity at the simulator's token endpoint; all of it on one event loop."""
    from azure.identity import ClientSecretCredential  # noqa: PLC0415 - loads for long
    from kiota_authentication_azure.azure_identity_authentication_provider import (  # noqa: PLC0415 - loads for long
        AzureIdentityAuthenticationProvider,
    )
    from msgraph import GraphRequestAdapter, GraphServiceClient  # noqa: PLC0415 - loads for long
    from msgraph.graph_request_adapter import options  # noqa: PLC0415 - loads for long
    from msgraph_core import GraphClientFactory  # noqa: PLC0415 - loads for long

    context = ssl.create_default_context(cafile=running.ca_path)
    sessions: dict[int, Session] = {}
    opened: list[httpx.AsyncHTTPTransport] = []
    credentials: list[Any] = []

    def open_session(index: int) -> Session:
        tenant = running.credentials(index)
        credential = ClientSecretCredential(
            tenant.tenant_id,
            tenant.client_id,
            tenant.client_secret,
            authority=running.base_url,
            disable_instance_discovery=True,
            connection_verify=str(running.ca_path),
        )
        transport = httpx.AsyncHTTPTransport(verify=context)
        http = httpx.AsyncClient(transport=transport, timeout=30)
        authentication = AzureIdentityAuthenticationProvider(
            credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["localhost"]
        )
        adapter = GraphRequestAdapter(
            authentication, GraphClientFactory.create_with_default_middleware(client=http, options=options)
        )
        adapter.base_url = f"{running.base_url}/v1.0"
        opened.append(transport)  # which the SDK's own transport around it does not close
        credentials.append(credential)
        client = GraphServiceClient(request_adapter=adapter)
        return Session(
            state=running.simulator.state(index), client=client, run=lambda asked: runner.run(_awaited(asked))
        )

    with asyncio.Runner() as runner:
        yield lambda index: sessions.setdefault(index, sessions.get(index) or open_session(index))
        for transport in opened:
            runner.run(transport.aclose())
        for credential in credentials:
            credential.close()


def with_query(builder: Untyped, parameters: str, **chosen: object) -> Untyped:
    """A request configuration with the builder's own query parameters and, for advanced queries, the header."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration  # noqa: PLC0415 - loads for long

    configuration = RequestConfiguration(query_parameters=getattr(type(builder), parameters)(**chosen))
    if chosen.get("count"):
        configuration.headers.add("ConsistencyLevel", "eventual")
    return configuration
