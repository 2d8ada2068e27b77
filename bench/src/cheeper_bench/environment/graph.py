"""A graph of authors, follows and cheeps: read from files, or drawn with a power law. It is the same on every run."""

from __future__ import annotations

import random
from itertools import accumulate
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import msgspec

from cheeper_bench.errors import BenchError
from cheeper_e2e.load.workload import InputError, read_workload

_NAMESPACE: Final = UUID("7c0f6f2e-5f0a-5d0f-8f5a-0d9a3b1c2e4f")
BEGAN: Final = 1_700_000_000_000_000
"""The microsecond at which the first author signs up."""
_WORDS: Final = (
    *("what", "a", "fine", "day", "to", "write", "some", "words", "about", "nothing"),
    *("at", "all", "while", "others", "read", "them", "twice", "or", "never"),
)


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Authors are numbers from 0; a follow is (follower, followed), a cheep (author, text), in the order of posting."""

    name: str
    authors: int
    follows: tuple[tuple[int, int], ...]
    cheeps: tuple[tuple[int, str], ...]

    def author_id(self, author: int) -> str:
        """Return the author's UUID."""
        return self.id_of("author", author)

    def username(self, author: int) -> str:
        """Return the author's username, unique within the graph."""
        return f"a{author}"

    def id_of(self, *what: object) -> str:
        """Return a UUID for anything of this graph."""
        return str(uuid5(_NAMESPACE, " ".join(map(str, (self.name, *what)))))


def text_of(draw: random.Random) -> str:
    """Return a made-up cheep of some 60 characters."""
    return " ".join(draw.choices(_WORDS, k=12))


def given(graph: Path, texts: Path | None, *, cheeps: int, authors: int | None = None) -> Graph:
    """Return the graph of a file of friendships, each author with so many cheeps. Raise BenchError."""
    draw = random.Random(1)  # noqa: S311 - repeatable, no secret
    try:
        world = read_workload(graph, texts or graph, authors=authors)
    except InputError as error:
        raise BenchError(str(error)) from None
    numbers = {node: number for number, node in enumerate(world.authors)}
    lines = [post.message for node in world.authors for post in world.posts[node]] if texts else []
    posts = [
        (author, draw.choice(lines) if lines else text_of(draw))
        for author in range(len(numbers))
        for _ in range(cheeps)
    ]
    draw.shuffle(posts)
    return Graph(
        name=f"{graph.stem} {len(numbers)} {cheeps}",
        authors=len(numbers),
        follows=tuple((numbers[one], numbers[other]) for other in world.authors for one in world.followers[other]),
        cheeps=tuple(posts),
    )


def power_law(authors: int, *, follows: int, cheeps: int, seed: int = 1) -> Graph:
    """Return a graph in which each author follows `follows` others, drawn by weights 1/rank, and posts `cheeps` cheeps.

    So a few authors have very many followers, and most have few or none.
    """
    draw = random.Random(seed)  # noqa: S311 - as above
    weights = list(accumulate(1 / (rank + 1) for rank in range(authors)))
    everybody = range(authors)
    found: list[tuple[int, int]] = []
    for follower in everybody:
        wanted = min(follows, authors - 1)
        chosen: set[int] = set()
        while len(chosen) < wanted:
            chosen.update(draw.choices(everybody, cum_weights=weights, k=wanted - len(chosen)))
            chosen.discard(follower)
        found += [(follower, followed) for followed in sorted(chosen)]
    posts = [(author, text_of(draw)) for author in draw.choices(everybody, k=authors * cheeps)]
    return Graph(
        name=f"power law {authors} {follows} {cheeps} {seed}",
        authors=authors,
        follows=tuple(found),
        cheeps=tuple(posts),
    )


def with_reader(graph: Graph, follows: int) -> tuple[Graph, int]:
    """Return the graph with one author more, who follows the first so many, and that author's number."""
    reader = graph.authors
    more = tuple((reader, followed) for followed in range(min(follows, graph.authors)))
    return (
        Graph(name=f"{graph.name}+{follows}", authors=reader + 1, follows=graph.follows + more, cheeps=graph.cheeps),
        reader,
    )
