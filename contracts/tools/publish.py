"""Keep what was published of the contracts, and refuse what would break their consumers.

    python contracts/tools/publish.py                   publish what is new or was added to; refuse what breaks
    python contracts/tools/publish.py --check           write nothing; name what breaks or is not published, exit code 1
    python contracts/tools/publish.py --replace NAME…   publish these views as they are now, or are no more, too

A message or topic is never replaced, since the log is kept for ever: make a new version of the message, and keep the
old one in cheeper_contracts.superseded with its upcaster. A view can be replaced, since a rebuild makes it anew, and so
can the topic of dead letters, which only people read.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from cheeper_contracts.kafka.topics import DEAD_LETTERS
from compatibility import State, breaks
from golden import ROOT
from state import encoded, of_code

FOLDER: Final = ROOT / "published"
REPLACEABLE: Final = ("views.", "redis", "mongo.", f"topic.{DEAD_LETTERS.name}")
REPLACE: Final = "where a rebuild brings it into service, publish it with --replace"
NEW_VERSION: Final = "make a new version, and keep this one in cheeper_contracts.superseded"
BESIDE: Final = "readers and projectors of both versions run at the same time, so it stays as it is"
STAY: Final = "a topic that holds messages stays as it is"


def published(folder: Path = FOLDER) -> State:
    """Return the state that was published last."""
    files = sorted(folder.glob("*.json"))
    return {path.name.removesuffix(".json"): msgspec.json.decode(path.read_bytes()) for path in files}


def refused(old: State, new: State, replace: Collection[str] = ()) -> list[str]:
    """Return a sentence, beginning with the name, for each break that is not to be replaced."""
    return [
        f"{name}: {why}; {_way_out(name)}"
        for name, reasons in breaks(old, new).items()
        if name not in replace
        for why in reasons
    ]


def unpublished(old: State, new: State) -> list[str]:
    """Return the names that the published state lacks, or knows otherwise."""
    return [name for name, entry in new.items() if old.get(name) != entry]


def _way_out(name: str) -> str:
    if name.startswith(REPLACEABLE):
        return REPLACE
    if name in {"generations", "lag"}:
        return BESIDE
    return STAY if name.startswith("topic.") else NEW_VERSION


def check(old: State, new: State) -> list[str]:
    """Return a sentence for each thing that breaks, and for each that is to be published."""
    broken = breaks(old, new)
    ours = [name for name in unpublished(old, new) if name not in broken]
    return refused(old, new) + [f"{name}: not published as it is, run contracts/tools/publish.py" for name in ours]


def publish(old: State, new: State, replace: Collection[str], folder: Path = FOLDER) -> list[str]:
    """Write what may be published, if nothing is refused. What is refused."""
    said = list(_not_replaceable(old, replace)) + refused(old, new, replace)
    if said:
        return said
    folder.mkdir(exist_ok=True)
    for name in unpublished(old, new):
        (folder / f"{name}.json").write_bytes(encoded(new[name]))
    for name in old.keys() - new.keys():
        (folder / f"{name}.json").unlink()
    return []


def _not_replaceable(old: State, replace: Collection[str]) -> Iterator[str]:
    for name in replace:
        if name not in old:
            yield f"{name}: was never published"
        elif not name.startswith(REPLACEABLE):
            yield f"{name}: is never replaced; {_way_out(name)}"


def main(arguments: list[str]) -> int:
    """Check or publish. The exit code."""
    old, new = published(), of_code()
    match arguments:
        case ["--check"]:
            said = check(old, new)
        case []:
            said = publish(old, new, ())
        case ["--replace", _, *_]:
            said = publish(old, new, arguments[1:])
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    for sentence in said:
        print(sentence, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
