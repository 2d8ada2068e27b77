from __future__ import annotations

import subprocess

from cheeper_local.settings import CLONE

SCRIPT = CLONE / "deploy" / "test-containers"


def test_every_test_that_it_names_exists():
    """It names files, so a test that moves must move there too, before CI has come that far."""
    named = [word for word in SCRIPT.read_text().split() if "/tests/" in word]
    assert named
    found = subprocess.run(
        ["bash", "-c", f"ls -d {' '.join(named)}"],  # noqa: S607 - as the script's first line finds it
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
