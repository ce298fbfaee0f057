"""The pages that are written from the code say what the code says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzers.catalogue import RULES
from docs.generate import DIFFERENCES_PAGE, RULES_PAGE, differences_page, rules_page
from legacy.declared import DECLARED

PAGES = [(RULES_PAGE, rules_page), (DIFFERENCES_PAGE, differences_page)]
MAKE = "make docs writes it anew"


@pytest.mark.parametrize(("path", "written"), PAGES, ids=lambda given: getattr(given, "name", ""))
def test_a_written_page_is_current(path: Path, written: Callable[[], str]) -> None:
    assert path.read_text(encoding="utf-8") == written(), f"docs/{path.name} is not what the code says: {MAKE}"


def test_every_rule_and_every_difference_has_a_section_of_its_own() -> None:
    sections = re.findall(r"^### (\w+)$", rules_page(), re.MULTILINE)
    assert sorted(sections) == sorted(rule.id for rule in RULES)
    assert re.findall(r"^## (\w+)$", differences_page(), re.MULTILINE) == [one.rule for one in DECLARED]


@pytest.mark.parametrize(("path", "written"), PAGES, ids=lambda given: getattr(given, "name", ""))
def test_every_link_between_the_pages_leads_to_a_heading(path: Path, written: Callable[[], str]) -> None:
    headings = {page.name: set(re.findall(r"^#+ (.+)$", made(), re.MULTILINE)) for page, made in PAGES}
    links = re.findall(r"\]\(([\w.-]*)#(\w+)\)", written())

    assert links
    assert [(page, anchor) for page, anchor in links if anchor not in headings[page or path.name]] == []


@pytest.mark.parametrize("written", [rules_page, differences_page])
def test_only_tables_and_links_are_wider_than_a_line(written: Callable[[], str]) -> None:
    assert [
        line for line in written().splitlines() if len(line) > 120 and not line.startswith("|") and " " in line.strip()
    ] == []
