"""docs/add-a-feature.md as steps that a program can follow: its fenced blocks, in order.

Two kinds of block belong to the file that the line before them names: "New file `path`:" is followed by the file's
text, "Edit `path`:" by a diff, whose hunks begin with `@@` and are found by their text, not by line numbers. Blocks of
`sh` are commands, run from the root of the tree. Other blocks (`text`, `mermaid`) are to be read.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

SOURCES: Final = ("runtime/src", "contracts/src", "services/*/src", "deploy/local/src", "tests-e2e/src")
_NO_PART: Final = shutil.ignore_patterns(
    ".git", ".venv", ".cheeper", ".hypothesis", ".*_cache", "__pycache__", "*.pyc", "*.egg-info"
)
_TYPES: Final = ".mypy_cache"
_FENCE: Final = re.compile(r"```([\w-]*)$")
_LABEL: Final = re.compile(r"(New file|Edit) `([^`]+)`:$")


class UnclearError(ValueError):
    """A step cannot be followed as it is written. The text is one sentence."""


class NewFile(msgspec.Struct, frozen=True):
    """A file that is not there yet."""

    path: str
    text: str


class Edit(msgspec.Struct, frozen=True):
    """Changes of an existing file: text that occurs once, and its replacement."""

    path: str
    hunks: tuple[tuple[str, str], ...]


class Commands(msgspec.Struct, frozen=True):
    """Lines for a shell."""

    lines: str


Step = NewFile | Edit | Commands


def steps_of(page: str) -> Iterator[Step]:
    """Return the steps of a page. Raises UnclearError."""
    label: re.Match[str] | None = None
    lines = iter(page.splitlines())
    for line in lines:
        if fence := _FENCE.match(line):
            block = [*iter(lambda: next(lines, "```"), "```")]
            step = _step(fence[1], label, "".join(f"{one}\n" for one in block))
            label = None
            if step is not None:
                yield step
        elif line:
            label = _LABEL.match(line)


def copy_of(tree: Path, to: Path) -> Path:
    """A copy of a working tree without what is no part of it; it shares the tree's .venv, and what mypy knows of it."""
    shutil.copytree(tree, to, ignore=_NO_PART)
    (to / ".venv").symlink_to((tree / ".venv").resolve())
    with suppress(OSError):  # there is none, or mypy writes it now: what is missing or stale is checked again
        shutil.copytree(tree / _TYPES, to / _TYPES)
    return to


def follow(step: Step, root: Path) -> None:
    """Do what a step says in the tree under `root`. Raises UnclearError, with what a command said where one failed."""
    match step:
        case NewFile(path, text):
            _make(root / path, text)
        case Edit(path, hunks):
            _edit(root / path, hunks)
        case Commands(lines):
            _run(lines, root)


def digests(tree: Path) -> dict[str, bytes]:
    """Return a digest of each file of a tree, by path from its root."""
    return {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).digest() for path in _files(tree)}


def _step(language: str, label: re.Match[str] | None, block: str) -> Step | None:
    if language == "sh":
        return Commands(block)
    if label is None:
        if language in {"text", "mermaid"}:
            return None
        raise UnclearError(f"A block of {language or 'no language'} belongs to no file: {block.partition(chr(10))[0]}")
    return NewFile(label[2], block) if label[1] == "New file" else Edit(label[2], tuple(_hunks(block)))


def _hunks(diff: str) -> Iterator[tuple[str, str]]:
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        if wrong := [line for line in lines if line[0] not in " -+\n"]:
            raise UnclearError(f"A line of a diff begins with none of ' ', '-', '+': {wrong[0].strip()}")
        before = "".join(line[1:] or line for line in lines if line[0] != "+")
        after = "".join(line[1:] or line for line in lines if line[0] != "-")
        yield before, after


def _make(path: Path, text: str) -> None:
    if path.exists():
        raise UnclearError(f"{path} is there already.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _edit(path: Path, hunks: tuple[tuple[str, str], ...]) -> None:
    if not path.exists():
        raise UnclearError(f"{path} is not there.")
    text = path.read_text()
    for before, after in hunks:
        if (times := text.count(before)) != 1:
            raise UnclearError(f"{path} has {times} places, not one, that read:\n{before}")
        text = text.replace(before, after)
    path.write_text(text)


def _run(lines: str, root: Path) -> None:
    sources = os.pathsep.join(str(folder) for pattern in SOURCES for folder in sorted(root.glob(pattern)))
    done = subprocess.run(
        ["/bin/sh", "-exc", lines],
        cwd=root,
        # The installed packages are links to the tree that was copied; the copy's own sources come before them.
        env={**os.environ, "PYTHONPATH": sources},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise UnclearError(f"A command ended with exit code {done.returncode}:\n{done.stdout}")


def _files(tree: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(tree):
        left_out = _NO_PART(folder, [*folders, *names])
        folders[:] = [name for name in folders if name not in left_out]
        yield from (Path(folder, name) for name in names if name not in left_out)
