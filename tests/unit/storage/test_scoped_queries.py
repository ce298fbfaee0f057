"""A query over tenants' data that does not say whose data is a type error, not a habit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline.storage
from pipeline.storage.tables import SHADOWED, capture_pages, captures, source_inputs

STORAGE = Path(pipeline.storage.__file__).parent
TENANT_TABLES = sorted({table.name for table in (*SHADOWED, captures, capture_pages, source_inputs)})
ACCESS = re.compile(rf"\b(?:FROM|INTO|UPDATE|JOIN|USING|TABLE)\s+(?:public\.)?({'|'.join(TENANT_TABLES)})\b")
SCOPES = {"Scope", "Run", "Origin", "DataSource", "ClaimedStep", "UUID", "StepRef", "Tenant"}
"""What says whose data: a scope, something that carries one, or the id of a run or row of it."""
ACROSS_TENANTS = {
    "alerts.py": {"alerts_of_sources"},  # the watch over all tenants' rules
    "captures.py": {"delete_captures_before"},  # retention
    "coverage.py": {"stopped_rules"},  # the same watch
    "outbox.py": {"unpublished", "mark_published", "delete_published_before"},  # the relay's own work
    "psa.py": {"load_linkable_tenants"},  # a PSA is about every tenant: decision 0010
}
OPERATORS = {"reports", "figures.py"}
"""Pages and figures over all tenants, for the people who run the system."""


def modules() -> Iterator[Path]:
    for path in sorted(STORAGE.rglob("*.py")):
        inside = path.relative_to(STORAGE).parts
        if "migrations" not in inside and not OPERATORS & set(inside):
            yield path


def reaches_tenant_data(text: str) -> bool:
    return ACCESS.search(text) is not None


def statements(tree: ast.Module) -> set[str]:
    """Names of the module's statements over tenants' tables."""
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and reaches_tenant_data(ast.unparse(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def functions(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Public functions that reach tenants' tables, and the types of their parameters."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = statements(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            if names & named or reaches_tenant_data(ast.unparse(node)):
                annotations = [
                    ast.unparse(arg.annotation) for arg in node.args.args + node.args.kwonlyargs if arg.annotation
                ]
                yield node.name, set(re.findall(r"\w+", " ".join(annotations)))


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: path.name)
def test_every_query_over_tenants_data_says_whose(path: Path) -> None:
    unscoped = {name for name, types in functions(path) if not types & SCOPES}

    assert unscoped <= ACROSS_TENANTS.get(path.name, set())


def test_the_search_finds_the_queries_there_are() -> None:
    found = {name for path in modules() for name, _ in functions(path)}

    assert {
        "stored_hashes",
        "stored_pairs",
        "stored_alerts",
        "write_changes",
        "replace_findings",
        "load_named_graph",
    } <= found
