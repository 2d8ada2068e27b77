from pathlib import Path

import pytest

from cheeper_e2e.worked_example import Commands, Edit, NewFile, UnclearError, copy_of, digests, follow, steps_of

CLONE = Path(__file__).parents[3]
PAGE = CLONE / "docs" / "add-a-feature.md"
MOST_EDITS = 4


def test_blocks_are_steps_in_order():
    """A block belongs to the file that the line before it names; what is only to be read is no step."""
    page = (
        "New file `a/b.py`:\n\n```python\nx = 1\n\ny = 2\n```\n```text\na list\n```\nEdit `c.py`:\n"
        "```diff\n@@\n old\n-gone\n+new\n@@\n+first\n end\n```\nThen:\n```sh\nmake\n```\n"
    )
    assert list(steps_of(page)) == [
        NewFile("a/b.py", "x = 1\n\ny = 2\n"),
        Edit("c.py", (("old\ngone\n", "old\nnew\n"), ("end\n", "first\nend\n"))),
        Commands("make\n"),
    ]


@pytest.mark.parametrize("page", ["Some code:\n```python\nx\n```", "Edit `a`:\n```diff\n@@\nx\n```"])
def test_an_unclear_block_is_an_error(page):
    """Code of no file, and a diff that is none, cannot be followed."""
    with pytest.raises(UnclearError):
        list(steps_of(page))


def test_steps_change_the_tree(tmp_path):
    """A file is made, another is edited, and a command runs in the tree; the tree that was copied stays as it is."""
    (tmp_path / "tree" / ".venv").mkdir(parents=True)
    (tmp_path / "tree" / "old.txt").write_text("one\ntwo\nthree\n")
    copy = copy_of(tmp_path / "tree", tmp_path / "copy")
    before = digests(copy)
    for step in (
        NewFile("new/file.txt", "x\n"),
        Edit("old.txt", (("two\n", "2\n"),)),
        Commands("cat old.txt > made"),
    ):
        follow(step, copy)
    assert (copy / "made").read_text() == "one\n2\nthree\n"
    after = digests(copy)
    assert after.keys() - before.keys() == {"new/file.txt", "made"}
    assert after["old.txt"] != before["old.txt"]
    assert digests(tmp_path / "tree") == before


def test_a_copy_has_what_mypy_knew_of_the_tree(tmp_path):
    """The copy may change it, and the tree's own stays; it is no file of either tree."""
    (tmp_path / "tree" / ".mypy_cache").mkdir(parents=True)
    (tmp_path / "tree" / ".mypy_cache" / "known").write_text("old")
    (tmp_path / "tree" / "__pycache__").mkdir()
    copy = copy_of(tmp_path / "tree", tmp_path / "copy")
    (copy / ".mypy_cache" / "known").write_text("new")
    assert (tmp_path / "tree" / ".mypy_cache" / "known").read_text() == "old"
    assert not (copy / "__pycache__").exists()
    assert digests(copy) == {}


@pytest.mark.parametrize(
    "step",
    [
        NewFile("there", "x"),
        Edit("away", (("x", "y"),)),
        Edit("there", (("away", "y"),)),
        Edit("there", (("twice", "y"),)),
        Commands("true\nfalse\ntrue"),
    ],
)
def test_a_step_that_does_not_fit_is_an_error(tmp_path, step):
    """A new file that is there, an edit whose place is not there once, a command that fails."""
    (tmp_path / "there").write_text("twice twice")
    with pytest.raises(UnclearError):
        follow(step, tmp_path)


def test_a_feature_is_new_files_and_at_most_four_edits():
    """All else that the worked example touches is made by it or generated."""
    steps = list(steps_of(PAGE.read_text()))
    edited = [step.path for step in steps if isinstance(step, Edit)]
    assert 1 <= len(set(edited)) == len(edited) <= MOST_EDITS
    assert all((CLONE / path).exists() for path in edited)
    assert not [step.path for step in steps if isinstance(step, NewFile) and (CLONE / step.path).exists()]
