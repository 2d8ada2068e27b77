"""`make sbom` names what requirements.lock pins."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def boms(tmp_path_factory):
    """Run the command of the target in two new folders. Return what it writes."""
    [line] = [each for each in (ROOT / "Makefile").read_text().splitlines() if "cyclonedx-py" in each]
    command = line.strip("\t@").replace("$(BIN)", str(ROOT / ".venv" / "bin"))
    command = command.replace("--validate", "--no-validate")  # five seconds, and the library's own business

    def run():
        folder = tmp_path_factory.mktemp("sbom")
        (folder / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
        environment = {**os.environ, "HOME": str(folder)}
        subprocess.run(command.split(), cwd=folder, env=environment, check=True, capture_output=True)
        return (folder / "sbom.cdx.json").read_bytes()

    return run(), run()


def test_the_same_lock_makes_the_same_bytes(boms):
    """Two runs write the same bytes."""
    assert boms[0] == boms[1]


def test_each_pinned_package_is_a_component_with_its_hashes(boms):
    """The bill has each package of the lock at its version, with a SHA-256 of each of its files."""
    bill = json.loads(boms[0])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    lock = (ROOT / "requirements.lock").read_text()
    assert sorted((each["name"], each["version"]) for each in bill["components"]) == sorted(PINNED.findall(lock))
    hashes = {
        value["content"]
        for each in bill["components"]
        for reference in each["externalReferences"]
        for value in reference["hashes"]
    }
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))
