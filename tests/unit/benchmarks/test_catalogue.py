"""Every benchmark can be chosen by name and is written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.catalogue import BENCHMARKS

DOCUMENT = Path(__file__).parents[3] / "docs" / "performance.md"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_document_tells_of_each_benchmark(name: str) -> None:
    assert f"`{name}`" in DOCUMENT.read_text(encoding="utf-8")


def test_an_unknown_name_is_refused_with_the_ones_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nonsense"])

    message = capsys.readouterr().err
    assert all(name in message for name in BENCHMARKS)
