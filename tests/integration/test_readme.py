"""README and docs: figures are those that were measured, and links lead somewhere."""

import re
from pathlib import Path

import pytest

from benchmarks import report, tables

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])


def test_table_has_the_figures_of_the_last_measurements() -> None:
    one_class, screws = report.load("one_class"), report.load("screws")
    assert one_class is not None
    assert screws is not None
    assert tables.summary(one_class, screws).grid() in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []
