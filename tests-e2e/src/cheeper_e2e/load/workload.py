"""The workload of a load: authors, follows and cheeps made from a graph file and a text file, the same on every run.

All ids derive from a digest of what is loaded, so that another graph, another seed or a sample is a world of its own
in the same installation, and the same one loaded again is the same commands again.
"""

from __future__ import annotations

import hashlib
import random
import unicodedata
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from cheeper_contracts.text import TextTooLongError, TooManyMarksError, nfc

MESSAGE_CODE_POINTS: Final = 260
_NAMESPACE: Final = uuid.UUID("b1c6f1f2-6f5a-5a5e-9d0e-3c8a4f2f7d11")
_COMMENTS: Final = ("#", "%")


class InputError(Exception):
    """A file cannot be read, or a line of it cannot be understood. The text is one sentence that names both."""


class Post(msgspec.Struct, frozen=True):
    """A cheep that is to be posted."""

    cheep_id: str
    author: int
    message: str


class Workload:
    """Authors (numbers), whom each is followed by, and each author's cheeps in the order in which they are posted."""

    def __init__(self, edges: set[tuple[int, int]], texts: list[str], seed: int) -> None:
        self.authors = sorted({node for edge in edges for node in edge})
        self.followers: dict[int, list[int]] = {author: [] for author in self.authors}
        for one, other in sorted(edges):
            self.followers[one].append(other)
            self.followers[other].append(one)
        digest = hashlib.sha256(repr((sorted(edges), texts, seed)).encode()).hexdigest()
        self.name = digest[:8]
        self._namespace = uuid.uuid5(_NAMESPACE, digest)
        chosen = random.Random(seed)  # noqa: S311 - a draw that can be repeated, no secret
        self.posts: dict[int, list[Post]] = {author: [] for author in self.authors}
        for line, text in enumerate(texts, start=1):
            author = chosen.choice(self.authors)
            self.posts[author].append(Post(self.id_of("cheep", line), author, text))

    def id_of(self, *what: object) -> str:
        """A UUID for anything in this world, the same on every run."""
        return str(uuid.uuid5(self._namespace, " ".join(map(str, what))))

    def author_id(self, author: int) -> str:
        """The author's UUID."""
        return self.id_of("author", author)

    def username(self, author: int) -> str:
        """The author's username, unique among worlds."""
        return f"n{author}_{self.name}"

    def number_of_follows(self) -> int:
        """Both ways for each edge."""
        return sum(map(len, self.followers.values()))

    def number_of_posts(self) -> int:
        """One for each text."""
        return sum(map(len, self.posts.values()))

    def timeline_authors(self, author: int) -> list[int]:
        """Return the authors that an author follows; friendship goes both ways."""
        return self.followers[author]


def read_workload(graph: Path, texts: Path, *, seed: int = 1, authors: int | None = None) -> Workload:
    """The world of a graph and a text file, or of a sample of so many authors and their share of the texts.

    Raises InputError.
    """
    edges, lines = _read_edges(graph), _read_texts(texts)
    if authors is not None:
        edges, lines = _sample(edges, lines, authors, seed)
    if not edges:
        raise InputError(f"{graph} holds no edge, so there is nobody to sign up.")
    return Workload(edges, lines, seed)


def _sample(
    edges: set[tuple[int, int]], lines: list[str], authors: int, seed: int
) -> tuple[set[tuple[int, int]], list[str]]:
    """The subgraph of so many authors, who are drawn as friends of those before, and texts in proportion."""
    friends: dict[int, list[int]] = {}
    for one, other in sorted(edges):
        friends.setdefault(one, []).append(other)
        friends.setdefault(other, []).append(one)
    if authors >= len(friends):
        return edges, lines
    draw = random.Random(seed)  # noqa: S311 - as above
    kept: set[int] = set()
    known: list[int] = []
    while len(kept) < authors:
        known = [node for node in known if node not in kept]
        drawn = draw.choice(known or sorted(friends.keys() - kept))
        kept.add(drawn)
        known += friends[drawn]
    return {edge for edge in edges if kept.issuperset(edge)}, lines[: max(1, len(lines) * authors // len(friends))]


def _read_edges(path: Path) -> set[tuple[int, int]]:
    edges = set()
    for number, line in _lines(path):
        if not line.strip() or line.startswith(_COMMENTS):
            continue
        parts = line.split()
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):  # noqa: PLR2004 - a pair
            raise InputError(f"{path}, line {number}: {_quoted(line)} is not a pair of numbers.")
        one, other = sorted(map(int, parts))
        if one == other:
            raise InputError(f"{path}, line {number}: {one} cannot be a friend of itself.")
        if other >= 10**18:
            raise InputError(f"{path}, line {number}: {other} has more than 18 digits.")
        edges.add((one, other))
    return edges


def _read_texts(path: Path) -> list[str]:
    texts = []
    for number, line in _lines(path):
        sent = line.strip()
        try:
            text = nfc(sent, MESSAGE_CODE_POINTS)
        except TooManyMarksError as error:
            raise InputError(f"{path}, line {number}: a cheep {error}.") from None
        except TextTooLongError:
            text = ""
        if not text:
            raise InputError(
                f"{path}, line {number}: a cheep has 1 to {MESSAGE_CODE_POINTS} characters, this one {len(sent)}."
            )
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise InputError(f"{path}, line {number}: a cheep cannot hold control characters.")
        texts.append(text)
    return texts


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    lines = raw.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        try:
            yield number, line.decode().removesuffix("\r")
        except UnicodeDecodeError:
            raise InputError(f"{path}, line {number} is not UTF-8.") from None


def _quoted(line: str, at_most: int = 40) -> str:
    return repr(line if len(line) <= at_most else line[:at_most] + "…")
