import importlib
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture
def wording(monkeypatch):
    """The tool, as a module."""
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("wording")


@pytest.fixture
def rejected(wording, tmp_path):
    """A function from a file's name and text to the lines that are rejected."""

    def check(name, text):
        path = tmp_path / name
        path.write_text(text)
        return [int(problem.split(":")[1]) for problem in wording.problems(path)]

    return check


@pytest.mark.parametrize(
    "docstring",
    [
        "What becomes of a message.",
        "Whether the store answers.",
        "The owner, none where there is nobody.",
        "Messages that are set aside.",
        "Raised while the store is away.",
        "Mends the views.",
    ],
)
def test_a_docstring_of_the_dialect_is_rejected(rejected, docstring):
    """A docstring that hides its subject, its verb or its result is named with its line."""
    assert set(rejected("module.py", f'def f():\n    """{docstring}"""\n')) == {2}


@pytest.mark.parametrize(
    "docstring",
    [
        "Return None if the owner does not exist.",
        "The consumer applies each message once.",
        "Who is the author of a username?",
        "Raise StoreUnavailableError if the store does not respond.",
    ],
)
def test_a_plain_sentence_is_accepted(rejected, docstring):
    """An imperative, a sentence with a subject, and a query's own question pass."""
    assert rejected("module.py", f'def f():\n    """{docstring}"""\n') == []


def test_comments_and_constants_are_read_too(rejected):
    """Comments of Python and Lua and the string below a constant follow the same rule; code and strings do not."""
    assert sorted(rejected("module.py", 'A = "set aside"\n# Those that wait.\nB = 1\n"""How many wait."""\n')) == [2, 4]
    assert rejected("file.lua", "local a = 1  -- What is left.\n") == [1]


def test_code_in_a_page_is_left_alone(rejected):
    """A page's fenced blocks and code spans may quote anything; its sentences may not."""
    page = "# What it is\n\n```\nmend\n```\n\nRun `mend`. It mends views.\n"
    assert rejected("page.md", page) == [7]


def test_every_pattern_has_a_reason_and_a_better_form(wording):
    """Whoever is rejected learns the reason and the better form."""
    assert all(pattern.reason.endswith(".") and pattern.better for pattern in wording.PATTERNS)
