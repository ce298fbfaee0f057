"""What is asked before something is removed, and said afterwards."""

from __future__ import annotations

import sys

import typer

from pipeline.errors import UserError


def require_yes(what: str, *, given: bool) -> None:
    """Returns when ``what`` may be removed: --yes was ``given``, or a person says so.

    Raises ``UserError`` where nobody can be asked, and ends the command with status 1 when the answer is no.
    """
    if given:
        return
    if not sys.stdin.isatty():
        raise UserError(f"This would remove {what} for good; confirm it with --yes.")
    typer.confirm(f"Remove {what} for good?", abort=True, err=True)


def left_text(subscriptions: int) -> str:
    """What becomes of change notifications, as a sentence behind another; nothing where there were none."""
    if not subscriptions:
        return ""
    return " Its change notifications are ignored from now on and end at Microsoft by themselves within 28 days."
