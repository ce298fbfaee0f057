"""The command line, ``mspbyte``.

``program`` names the commands, each of which is loaded (``lazy``) when it is called for. ``commands`` has one file per
noun, ``grammar`` what they have in common. They work on ``connections``, ask for runs by ``syncing``, print ``pages``
and look with ``checks``; ``local`` and ``demo`` run the system on this machine.
"""

from __future__ import annotations

from pipeline.cli.program import app


def main() -> None:
    """The entry point; ends the process with 0 done, 1 failed run or check, 2 cannot be done, 130 interrupted."""
    app(prog_name="mspbyte")
