"""docs/start-your-own.md: a copy of this tree gets a name of its own, and still works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cheeper_e2e.worked_example import SOURCES, copy_of

CLONE = Path(__file__).parents[4]
GIT = shutil.which("git")
UNIT_TESTS = ("contracts/tests", *(f"services/{name}/tests/unit" for name in ("write-api", "projector", "read-api")))


@pytest.mark.local
@pytest.mark.extended
@pytest.mark.takes(seconds=40)
def test_a_renamed_tree_passes_its_unit_tests(tmp_path):
    """After the page's first step, the unit tests of the contracts and of the three services pass."""
    copy = copy_of(CLONE, tmp_path / "clone")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run([GIT, *command], cwd=copy, check=True)
    subprocess.run([sys.executable, "docs/tools/rename.py", "acme"], cwd=copy, check=True)
    sources = [str(folder) for pattern in SOURCES for folder in sorted(copy.glob(pattern.replace("cheeper", "acme")))]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *UNIT_TESTS],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
