from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder that every user may enter.

    PostgreSQL runs as an unprivileged user where the tests run as root, and pytest closes tmp_path to all others.
    """
    made = Path(tempfile.mkdtemp(prefix="cheeper-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
