from __future__ import annotations

import importlib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture(scope="module")
def tool():
    """The tool, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module("advisories")


@pytest.fixture
def lock(tool, tmp_path, monkeypatch):
    """A lock that pins requests and six, and a place for the snapshot."""
    monkeypatch.setattr(tool, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(tool, "SNAPSHOT", tmp_path / "advisories.json")
    tool.LOCK.write_text("requests==2.30.0 \\\n    --hash=sha256:00\nsix==1.17.0 ; os_name == 'nt' \\\n")
    return tool.LOCK


@pytest.fixture
def database(tmp_path):
    """A function that adds an advisory of a package to a checkout, whose folder it returns."""

    def add(package, name, affected, **more):
        path = tmp_path / "database" / "vulns" / package / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        affected = [{"package": {"name": package, "ecosystem": "PyPI"}, **affected}]
        path.write_text(yaml.safe_dump({"id": name, "affected": affected, **more}))
        return tmp_path / "database"

    return add


def ranges(*events):
    """An affected package by one range of versions."""
    return {"ranges": [{"type": "ECOSYSTEM", "events": [dict([each]) for each in events]}]}


LEAK = ranges(("introduced", "2.3.0"), ("fixed", "2.31.0"))


@pytest.mark.usefixtures("lock")
def test_a_vulnerable_version_fails(tool, database, capsys):
    """A locked version that an advisory affects is named with the advisory, and the check fails."""
    folder = database("requests", "PYSEC-2023-74", LEAK, aliases=["CVE-2023-32681", "GHSA-x"])
    assert tool.main(["--from", str(folder), "2026-11-30"]) == 0
    assert tool.main([]) == 1
    printed = capsys.readouterr()
    assert printed.err == "requests 2.30.0 has PYSEC-2023-74 = CVE-2023-32681, which affects >=2.3.0,<2.31.0\n"
    assert "1 problems among 2 locked packages by 1 advisories of 2026-11-30" in printed.out


def test_the_fixed_version_passes(tool, lock, database):
    """The version that fixes the vulnerability passes."""
    tool.main(["--from", str(database("requests", "PYSEC-2023-74", LEAK)), "2026-11-30"])
    lock.write_text("requests==2.31.0 \\\n")
    assert tool.main([]) == 0


def test_a_release_candidate_of_the_fixed_version_fails(tool, lock, database):
    """A version before the fixed one is affected, release candidates included."""
    tool.main(["--from", str(database("requests", "PYSEC-2023-74", LEAK)), "2026-11-30"])
    lock.write_text("requests==2.31.0rc1 \\\n")
    assert tool.main([]) == 1


@pytest.mark.usefixtures("lock")
def test_an_accepted_advisory_passes_while_it_applies(tool, database):
    """An accepted advisory is no problem, and one that applies no more is."""
    tool.main(["--from", str(database("requests", "PYSEC-2023-74", LEAK)), "2026-11-30"])
    pins, snapshot = tool.locked(tool.LOCK.read_text()), tool.load(tool.SNAPSHOT.read_text())
    assert tool.problems(pins, snapshot, {"PYSEC-2023-74": "no proxy is used"}) == []
    fixed = {("requests", Version("2.31.0"))}
    stale = tool.problems(fixed, snapshot, {"PYSEC-2023-74": "no proxy is used"})
    assert stale == ["ACCEPTED names PYSEC-2023-74, which affects no locked version"]


def test_what_was_not_looked_up_is_counted(tool, lock, database, capsys):
    """A package that came into the lock after the snapshot is reported as unknown."""
    tool.main(["--from", str(database("requests", "PYSEC-2023-74", LEAK)), "2026-11-30"])
    lock.write_text("new==1.0 \\\n")
    assert tool.main([]) == 0
    assert "all of 1 packages that were not looked up" in capsys.readouterr().out


@pytest.mark.usefixtures("lock")
def test_the_snapshot_holds_what_concerns_the_lock(tool, database):
    """Withdrawn advisories and those of other packages stay out, and a folder without any is refused."""
    database("other", "PYSEC-1", LEAK)
    folder = database("six", "PYSEC-2", LEAK, withdrawn="2023-06-06T10:37:00Z")
    assert tool.main(["--from", str(folder), "2026-11-30"]) == 1
    assert not tool.SNAPSHOT.exists()


@pytest.mark.usefixtures("lock")
def test_single_versions_and_commits(tool, database):
    """Versions that are listed count beside the ranges; ranges of commits do not, and old texts that are no version."""
    affected = ranges(("introduced", "0"), ("last_affected", "1.5"))
    affected["ranges"].append({"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "5eb9f4d"}]})
    folder = database("six", "PYSEC-3", affected | {"versions": ["1.2", "1.7", "dev-r12"]})
    [advisory] = tool.read(folder, {"six"})
    assert advisory.affected == [">=0,<=1.5", "==1.7"]


@given(st.lists(st.integers(1, 40), unique=True, min_size=1, max_size=7), st.integers(0, 41), st.randoms())
def test_a_range_contains_what_its_events_say(tool, changes, version, random):
    """Events in any order affect exactly the versions from each introduction up to its fix."""
    kinds = ["introduced", "fixed"]
    marks = [(number, kinds[turn % 2]) for turn, number in enumerate(sorted(changes))]
    events = [{kind: str(number)} for number, kind in marks]
    random.shuffle(events)
    ends = [*marks, (99, "fixed")]
    oracle = any(kind == "introduced" and low <= version < high for (low, kind), (high, _) in pairwise(ends))
    found = tool._of_range(events)
    assert any(tool.contains(each, Version(str(version))) for each in found) == oracle


def test_the_snapshot_of_this_repository_can_fail(tool):
    """Each advisory that is checked in concerns a package of the lock, and refuses some version of it."""
    snapshot = tool.load(tool.SNAPSHOT.read_text())
    assert len(snapshot.advisories) > 20
    assert set(snapshot.packages) <= {name for name, _ in tool.locked(tool.LOCK.read_text())}
    for each in snapshot.advisories:
        old = {(each.package, Version(each.affected[0].split("<")[-1].lstrip("=") + ".dev0"))}
        assert any(each.id in line for line in tool.problems(old, snapshot, {}))
