import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GIT = shutil.which("git")
PYTHON_SOURCES = ("contracts/src", "runtime/src", "services/*/src", "deploy/local/src", "tests-e2e/src", "bench/src")


@pytest.fixture
def clone(tmp_path):
    """A copy of the tracked files as they are now, as a git clone of its own that shares the tree's .venv."""
    if not (ROOT / ".git").exists():
        pytest.skip("this tree is a copy without its repository, as that of a worked example")
    to = tmp_path / "clone"
    to.mkdir()
    listed = subprocess.run([GIT, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run([GIT, *command], cwd=to, check=True)
    (to / ".venv").symlink_to((ROOT / ".venv").resolve())
    return to


@pytest.fixture
def rename(monkeypatch):
    """The tool, as a module."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "tools")
    return importlib.import_module("rename")


def run(clone, *command):
    """A command in the clone, whose own sources come before the installed packages."""
    sources = [str(folder) for pattern in PYTHON_SOURCES for folder in sorted(clone.glob(pattern))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sources)}
    done = subprocess.run(
        [sys.executable, *command], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.extended  # it copies the tree and runs its generators
def test_nothing_keeps_the_old_name(clone):
    """No path and no text of a renamed tree has the old name, and generated files are up to date."""
    run(clone, "docs/tools/rename.py", "acme")
    files = [path for path in clone.rglob("*") if path.is_file() and not {".git", ".venv"} & set(path.parts)]
    assert [path for path in files if "cheeper" in str(path.relative_to(clone)).lower()] == []
    assert [path for path in files if b"cheeper" in path.read_bytes().lower()] == []
    run(clone, "contracts/tools/generate.py", "--check")
    run(clone, "contracts/tools/publish.py", "--check")
    run(clone, "docs/tools/generate.py", "--check")


@pytest.mark.parametrize("name", ["cheeper", "Acme", "my-system", "9lives", "", "x" * 21])
def test_a_name_that_does_not_fit_is_refused(rename, tmp_path, name):
    """A name that cannot be a package, a topic and a metric is refused in a sentence, before any file is looked for."""
    with pytest.raises(rename.RenameError, match="A name is 2 to 20 of a-z"):
        rename.rename(tmp_path, name)
