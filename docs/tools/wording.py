"""Reject wording that a stranger has to decode: in docstrings, in comments, and in the pages of docs/.

    python docs/tools/wording.py            name each place, with the reason and the better form; exit code 1 if any
    python docs/tools/wording.py FILE …     check these files only

CONTRIBUTING.md states the rule. A pattern belongs into PATTERNS once a reader has stumbled over it.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]


class Pattern(NamedTuple):
    """A wording to reject, why, and what to write instead."""

    regex: re.Pattern[str]
    reason: str
    better: str


class Passage(NamedTuple):
    """A docstring, a comment or a line of a page, and the line of the file where it begins."""

    line: int
    text: str


def _pattern(regex: str, reason: str, better: str, flags: re.RegexFlag = re.IGNORECASE) -> Pattern:
    return Pattern(re.compile(regex, flags), reason, better)


PATTERNS: Final = (
    _pattern(
        r"\A(?:What|How|Whether|Which|Who|Whom|Whose|Where|Those|Nothing|So)\b(?![^.]*\?)",
        "It has no subject or no finite verb, so the reader does not learn what the code does.",
        'an imperative ("Return …", "Raise … if …") or a sentence ("The … is …")',
        re.NOFLAG,
    ),
    _pattern(
        r"\bnone (?:where|while|before|of|if) (?:there|it|they|the|no|all|any|nobody|nothing)\b",
        "A lower-case “none” at the end of a clause hides the return value.",
        '"Return None if the owner does not exist."',
        re.NOFLAG,
    ),
    _pattern(r"\bwhat (?:becomes|became|has become) of\b", "The field calls this an outcome.", '"the outcome of …"'),
    _pattern(
        r"\b(?:is|are|was|were|be|being|goes|went|comes) away\b|\bwhile \w+ (?:is )?away\b",
        "A server that cannot be reached is not on a journey.",
        '"is unavailable"',
    ),
    _pattern(r"\bsets? aside\b|\bsetting aside\b", "One term per concept.", '"park", "parked"'),
    _pattern(r"\blook(?:s|ed|ing)? around\b", "It does not say what is read.", '"poll the topic"'),
    _pattern(r"\bmend(?:s|ed|ing)?\b", "It names two different things.", '"repair" (data), "fix" (code)'),
    _pattern(
        r"\b(?:tells?|told|says?|said|speaks?|spoken|hears?|heard) of\b",
        "Programs do not talk.",
        '"report", "log", "expose"',
    ),
    _pattern(r"\bin hand\b", "The field has a term.", '"in flight"'),
    _pattern(r"\bforese(?:e|es|en|eing)\b", "The field has a term.", '"prefetch"'),
    _pattern(r"\bpassed over\b", "The field has a term.", '"skipped"'),
    _pattern(r"\bstands? (?:still|there|here|again)\b", "It is a picture.", '"does not advance", "exists"'),
    _pattern(r"\bnone (?:is|are) there\b|\bwhere there (?:is|are) none\b", "It is inverted.", '"if none exists"'),
)


def passages(path: Path) -> Iterator[Passage]:
    """Yield the prose of a file: docstrings and comments of Python, comments of Lua, lines of Markdown outside code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _docstrings(text)
        yield from _comments(text)
    elif path.suffix == ".lua":
        for number, line in enumerate(text.splitlines(), 1):
            if found := re.search(r"--\s*(.*)", line):
                yield Passage(number, found[1])
    else:
        yield from _prose(text)


def _docstrings(text: str) -> Iterator[Passage]:
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for statement in body:  # a string below a constant documents it as well
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                value = statement.value.value
                if isinstance(value, str):
                    yield Passage(statement.lineno, " ".join(value.split()))


def _comments(text: str) -> Iterator[Passage]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(("#!", "# noqa", "# type:")):
            yield Passage(token.start[0], token.string.lstrip("# "))


def _prose(text: str) -> Iterator[Passage]:
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield Passage(number, re.sub(r"`[^`]*`", "`…`", line.strip()))


def problems(path: Path) -> Iterator[str]:
    """Yield a line for each place of a file that a pattern rejects."""
    page = path.suffix == ".md"
    for passage in passages(path):
        for pattern in PATTERNS:
            if page and pattern.regex.pattern.startswith(r"\A"):
                continue  # headings and table cells of a page need no verb
            if found := pattern.regex.search(passage.text):
                name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
                yield f"{name}:{passage.line}: “{found[0]}”: {pattern.reason} Write {pattern.better}."


def checked_files() -> list[Path]:
    """Return the tracked files whose wording counts: all code, and the pages except the changelog's history."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.lua", "*.md"],  # noqa: S607 - git of the PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.splitlines() if name not in {"CHANGELOG.md", "docs/glossary.md"}]
    mine = Path(__file__).name
    return [ROOT / name for name in names if Path(name).name not in {mine, f"test_{mine}"} and (ROOT / name).exists()]


def main(arguments: Sequence[str]) -> int:
    """Print every problem. Return the exit code."""
    files = [Path(name).resolve() for name in arguments] or checked_files()
    found = [problem for path in files for problem in problems(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
