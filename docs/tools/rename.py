"""Give a copy of this tree a name of its own: packages, topics, metrics, settings, commands and prose.

    python docs/tools/rename.py acme        in a fresh clone, with nothing uncommitted

In every path and every text of the files that git tracks, `cheeper` becomes `acme`, `Cheeper` becomes `Acme` and
`CHEEPER` becomes `ACME`. The domain's own words (cheep, author, follow) stay: they go with the features that you
replace. Nothing of the new system has been published yet, so the record of published contracts begins anew, and so do
the digests of what projections write. Run `make deps` afterwards.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

OLD: Final = "cheeper"
NAME: Final = re.compile(r"[a-z][a-z0-9]{1,19}")


class RenameError(Exception):
    """The tree cannot be renamed. The text is one sentence that says what to do."""


def rename(root: Path, name: str) -> int:
    """Rename the tree below `root`. Return the number of changed files. Raise RenameError if the name does not fit."""
    if not NAME.fullmatch(name) or name == OLD:
        raise RenameError(
            f"A name is 2 to 20 of a-z and 0-9, begins with a letter and is not {OLD}: {name!r} is not one."
        )
    words = {OLD: name, OLD.title(): name.title(), OLD.upper(): name.upper()}
    pattern = re.compile("|".join(words))

    def renamed(text: str) -> str:
        return pattern.sub(lambda found: words[found[0]], text)

    return sum(_rename_file(root, path, renamed(path), renamed) for path in _tracked(root))


def _rename_file(root: Path, old: str, new: str, renamed: Callable[[str], str]) -> bool:
    source, target = root / old, root / new
    raw = source.read_bytes()
    try:
        changed = renamed(raw.decode()).encode()
    except UnicodeDecodeError:  # a binary file keeps its content
        changed = raw
    if new == old and changed == raw:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    if changed != raw:
        target.write_bytes(changed)
    _remove_empty(source.parent, root)
    return True


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _tracked(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - git of the PATH
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        raise RenameError(f"{root} is not a git clone: {listed.stderr.strip()}.")
    return [path for path in listed.stdout.split("\0") if path and (root / path).is_file()]


def _begin_history(root: Path) -> None:
    for digests in root.glob("services/projector/tests/**/versions.json"):
        recorded = json.loads(digests.read_text())
        digests.write_text(
            json.dumps({store: {**one, "writes": {}} for store, one in recorded.items()}, indent=2) + "\n"
        )
    contracts = root / "contracts"
    for published in (contracts / "published").glob("*.json"):
        published.unlink()
    environment = {**os.environ, "PYTHONPATH": str(contracts / "src")}
    for tool in ("generate.py", "publish.py"):
        command = [sys.executable, str(contracts / "tools" / tool)]
        subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


def _sort_imports(root: Path) -> None:
    ruff = root / ".venv" / "bin" / "ruff"
    if ruff.exists():
        for arguments in (["check", "--quiet", "--select", "I", "--fix", "."], ["format", "--quiet", "."]):
            subprocess.run([ruff, *arguments], cwd=root, check=False)  # noqa: S603 - the clone's own ruff


def main(arguments: list[str]) -> int:
    """Rename the clone that the tool is in. Return the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    root = Path(__file__).resolve().parents[2]
    try:
        changed = rename(root, arguments[0])
    except RenameError as error:
        print(error, file=sys.stderr)
        return 1
    _sort_imports(root)
    _begin_history(root)
    print(f"{changed} files renamed or changed. Next: make deps.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
