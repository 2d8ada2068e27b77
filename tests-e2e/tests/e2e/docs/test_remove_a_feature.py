"""docs/remove-a-feature.md, followed to the letter in a copy of this tree, on a stack of its own."""

from pathlib import Path

import pytest

from cheeper_e2e.worked_example import copy_of, follow, steps_of

CLONE = Path(__file__).parents[4]
PAGE = CLONE / "docs" / "remove-a-feature.md"
WORDS = ("AnswerCheep", "CheepAnswered", "CheepAnswers", "NotifyAuthorAboutAnswer")


@pytest.mark.local
@pytest.mark.extended
@pytest.mark.timeout(900)
@pytest.mark.takes(seconds=80)
def test_the_feature_is_removed_and_the_others_work(tmp_path):
    """The page's own checks pass, and no source file names a message or query of the feature any more."""
    copy = copy_of(CLONE, tmp_path / "cheeper")
    for step in steps_of(PAGE.read_text()):
        follow(step, copy)
    sources = [path for pattern in ("contracts/src", "services/*/src") for path in copy.glob(f"{pattern}/**/*.py")]
    texts = {path: path.read_text() for path in sources}
    assert [path for path, text in texts.items() if any(word in text for word in WORDS)] == []
