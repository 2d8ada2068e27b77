"""Compare requirements.lock with known vulnerabilities, without the network.

    python deploy/tools/advisories.py                     name each locked version that is affected, exit code 1
    python deploy/tools/advisories.py --from FOLDER DATE  write advisories.json

FOLDER is a checkout of the PyPA advisory database, in the OSV format as YAML, and DATE (YYYY-MM-DD) is that of its last
commit. advisories.json holds the advisories of the packages of the lock alone. It knows nothing of what was published
after its date.
"""

from __future__ import annotations

import datetime as dt
import json
import operator
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT: Final = Path(__file__).parents[2]
LOCK: Final = ROOT / "requirements.lock"
SNAPSHOT: Final = Path(__file__).with_name("advisories.json")
ACCEPTED: Final[Mapping[str, str]] = {}
"""Advisories that do not matter here: the id, and the reason. One that affects no locked version is an error."""
_COMPARISONS: Final = {">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq}
"""By order alone, as OSV has it; `<2.0` of packaging leaves out the release candidates of 2.0."""


def contains(specifiers: str, version: Version) -> bool:
    """Return True if each of the specifiers, such as `>=1.0,<2.0`, is true of the version."""
    return all(_COMPARISONS[each.operator](version, Version(each.version)) for each in SpecifierSet(specifiers))


class Advisory(NamedTuple):
    """One vulnerability of one package. A version is affected that one of the specifiers contains."""

    id: str
    aliases: list[str]
    package: str
    affected: list[str]

    def affects(self, version: Version) -> bool:
        """Return True if the version has this vulnerability."""
        return any(contains(each, version) for each in self.affected)

    def __str__(self) -> str:
        """Return the id with its aliases, and the affected versions."""
        return f"{' = '.join([self.id, *self.aliases])}, which affects {' and '.join(self.affected)}"


class Snapshot(NamedTuple):
    """The advisories of the packages that were looked up, as they were known at the date."""

    date: str
    source: str
    packages: list[str]
    advisories: list[Advisory]


def locked(lock: str) -> set[tuple[str, Version]]:
    """Return each package of the lock's text with each of its versions."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, re.MULTILINE)
    return {(canonicalize_name(name), Version(version)) for name, version in pins}


def load(text: str) -> Snapshot:
    """Return the snapshot of the file's text."""
    document = json.loads(text)
    return Snapshot(**document | {"advisories": [Advisory(**each) for each in document["advisories"]]})


def problems(pins: set[tuple[str, Version]], snapshot: Snapshot, accepted: Mapping[str, str]) -> list[str]:
    """Return a line for each locked version that an advisory affects, and for each acceptance that is of no use."""
    hits = [
        (name, version, each)
        for name, version in sorted(pins)
        for each in snapshot.advisories
        if each.package == name and each.affects(version)
    ]
    found = {each.id for _, _, each in hits}
    return [
        *(f"{name} {version} has {each}" for name, version, each in hits if each.id not in accepted),
        *(f"ACCEPTED names {each}, which affects no locked version" for each in accepted.keys() - found),
    ]


def read(folder: Path, packages: set[str]) -> Iterator[Advisory]:
    """Yield the advisories of these packages in a checkout, but for those that were withdrawn."""
    for path in sorted(folder.glob("vulns/*/*.yaml")):
        if path.parent.name not in packages:
            continue
        entry = yaml.safe_load(path.read_text())
        if "withdrawn" in entry:
            continue
        for each in entry.get("affected", []):
            name = canonicalize_name(each["package"]["name"])
            affected = _specifiers(each)
            if name in packages and affected:
                aliases = [alias for alias in entry.get("aliases", []) if alias.startswith("CVE-")]
                yield Advisory(entry["id"], aliases, name, affected)


def _specifiers(affected: Mapping[str, Any]) -> list[str]:
    """Return the affected versions as specifiers: those of the ranges, then single versions that no range contains."""
    ranges = [each["events"] for each in affected.get("ranges", []) if each["type"] == "ECOSYSTEM"]
    specifiers = [each for events in ranges for each in _of_range(events)]
    for text in map(str, affected.get("versions", [])):
        try:
            version = Version(text)
        except InvalidVersion:
            continue  # no lock has it
        if not any(contains(each, version) for each in specifiers):
            specifiers.append(f"=={text}")
    return specifiers


def _of_range(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a specifier for each pair of events. They are in any order; only `introduced` may lack its end."""
    marks = sorted((Version(str(text)), kind) for event in events for kind, text in event.items())
    found, start = [], None
    for version, kind in marks:
        if kind == "introduced":
            start = version if start is None else start
        elif start is not None:
            found.append(f">={start},{'<' if kind == 'fixed' else '<='}{version}")
            start = None
    if start is not None:
        found.append(f">={start}")
    return found


def write(folder: Path, date: str) -> int:
    """Write advisories.json from a checkout. Return the exit code."""
    dt.date.fromisoformat(date)
    packages = {name for name, _ in locked(LOCK.read_text())}
    found = list(read(folder, packages))
    if not found:
        print(f"{folder}/vulns has no advisory of a locked package: it is no checkout of the database", file=sys.stderr)
        return 1
    snapshot = Snapshot(date, "PyPA advisory database (CC BY 4.0): ids and affected versions", sorted(packages), found)
    document = snapshot._asdict() | {"advisories": [each._asdict() for each in found]}
    SNAPSHOT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return 0


def check() -> int:
    """Print what is known of the lock. Return 1 if there is a problem, else 0."""
    pins, snapshot = locked(LOCK.read_text()), load(SNAPSHOT.read_text())
    for line in (found := problems(pins, snapshot, ACCEPTED)):
        print(line, file=sys.stderr)
    unknown = len({name for name, _ in pins} - set(snapshot.packages))
    print(
        f"{len(found)} problems among {len(pins)} locked packages by {len(snapshot.advisories)} advisories of "
        f"{snapshot.date}; what was published later is unknown, and all of {unknown} packages that were not looked up"
    )
    return 1 if found else 0


def main(arguments: Sequence[str]) -> int:
    """Compare, or write the snapshot. Return the exit code."""
    match arguments:
        case []:
            return check()
        case ["--from", folder, date]:
            return write(Path(folder), date)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
