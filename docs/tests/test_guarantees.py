"""The pages of docs/guarantees: short, each proven by marked tests, and naming no test that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "guarantees").glob("*.md"))
TESTS = [
    path
    for folder in ("contracts", "services", "deploy", "tests-e2e", "docs")
    for path in (ROOT / folder).rglob("test_*.py")
    if ".venv" not in path.parts
]
MOST_LINES = 60

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def marks():
    found = (re.findall(r'mark\.proves\(guarantee="([\w-]+)"\)', path.read_text()) for path in TESTS)
    return {name for names in found for name in names}


def test_each_page_is_proven_and_each_proof_has_a_page():
    """`make prove GUARANTEE=…` runs something for each page, and no test is marked for a page that is not there."""
    assert marks() == {page.stem for page in PAGES}


def named_files(page):
    return set(re.findall(r"\btest_\w+\.py\b", page.read_text()))


@each_page
def test_what_a_page_names_runs_with_its_proofs(page):
    """`make prove GUARANTEE=…` leaves out no file that the page of that name counts on."""
    proving = {path.name for path in TESTS if f'proves(guarantee="{page.stem}")' in path.read_text()}
    assert named_files(page) - proving == set()


@each_page
def test_make_test_keeps_a_proof_of_each_page(page):
    """Some file proves it that is not `extended` as a whole."""
    proving = [path.read_text() for path in TESTS if f'proves(guarantee="{page.stem}")' in path.read_text()]
    assert any("extended" not in text.partition("pytestmark = ")[2].partition("\n\n")[0] for text in proving)


@each_page
def test_a_page_is_short(page):
    """A guarantee that takes more than a page is two."""
    assert len(page.read_text().splitlines()) <= MOST_LINES


@each_page
def test_the_tests_that_a_page_names_are_there(page):
    """Files by their names, and tests by theirs where they are written out."""
    text = page.read_text()
    files = {path.name for path in TESTS}
    assert named_files(page) - files == set()
    functions = {name for path in TESTS for name in re.findall(r"def (test_\w+)", path.read_text())}
    named = set(re.findall(r"::(test_\w+)`", text))
    assert named - functions == set()
