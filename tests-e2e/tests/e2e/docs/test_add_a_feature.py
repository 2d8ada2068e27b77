"""docs/add-a-feature.md, followed to the letter in a copy of this tree, on a stack of its own."""

from pathlib import Path

import pytest

from cheeper_e2e.worked_example import Edit, NewFile, copy_of, digests, follow, steps_of

CLONE = Path(__file__).parents[4]
PAGE = CLONE / "docs" / "add-a-feature.md"
GENERATED = (
    "contracts/examples/",
    "contracts/published/",
    "contracts/schemas/",
    "deploy/gateway-paths.caddy",
    "docs/",
    "README.md",
    "services/api-docs/",
)


@pytest.mark.local
@pytest.mark.timeout(900)
@pytest.mark.extended
@pytest.mark.takes(seconds=80)
def test_the_worked_example_is_a_feature(tmp_path):
    """Its checks and its own tests pass, and it changed no file but those that it edits and what is generated."""
    copy = copy_of(CLONE, tmp_path / "cheeper")
    before = digests(copy)
    steps = list(steps_of(PAGE.read_text()))
    for step in steps:
        follow(step, copy)
    after = digests(copy)
    new = after.keys() - before.keys()
    mismatches = {path for path, digest in before.items() if after.get(path) != digest}
    made = {step.path for step in steps if isinstance(step, NewFile)}
    edited = {step.path for step in steps if isinstance(step, Edit)}
    assert {path for path in new if not path.startswith(GENERATED)} == made
    assert {path for path in mismatches if not path.startswith(GENERATED)} == edited
