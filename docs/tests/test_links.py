import re
from pathlib import Path

import pytest

from cheeper_e2e.worked_example import NewFile, steps_of

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page for pattern in ("*.md", "docs/**/*.md", "services/*/*.md", "contracts/*.md") for page in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([\w.-]+(?:/[\w.*-]+)+/?)`")
PARTS = {"contracts", "services", "deploy", "docs", "tests-e2e", ".ci"}
WORKED_EXAMPLE = ROOT / "docs" / "add-a-feature.md"


def prose(page):
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def test_there_are_pages():
    """The pages that this file is about are found."""
    assert {page.name for page in PAGES} >= {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "demo-time.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """A link to a file of this repository leads to one that is there."""
    links = [link for link in LINK.findall(prose(page)) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_are_there(page):
    """A path in backticks that begins at the root of this repository is there, or made by the worked example."""
    made = {step.path for step in steps_of(WORKED_EXAMPLE.read_text()) if isinstance(step, NewFile)}
    named = {path for path in CODE.findall(prose(page)) if path.partition("/")[0] in PARTS}
    assert sorted(path for path in named - made if not list(ROOT.glob(path))) == []
