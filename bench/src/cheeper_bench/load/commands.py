"""Requests of the API that change something, drawn by a seed, as bytes for the load generator."""

from __future__ import annotations

import random
from uuid import UUID

from cheeper_bench.environment.graph import Graph, text_of
from cheeper_bench.load.http_line import request
from cheeper_contracts.http.routes import AUTHORS, CHEEPS, FOLLOWS


def post(author_id: str, draw: random.Random) -> tuple[str, bytes]:
    """Return a cheep by this author; the server makes its id."""
    return "post", request("POST", CHEEPS.path, {"author_id": author_id, "message": text_of(draw)})


def follow(graph: Graph, draw: random.Random) -> tuple[str, bytes]:
    """Return a follow of two authors; where they follow each other already it changes nothing, as in life."""
    follower, followed = draw.sample(range(graph.authors), 2)
    body = {"from_author_id": graph.author_id(follower), "to_author_id": graph.author_id(followed)}
    return "follow", request("POST", FOLLOWS.path, body)


def sign_up(draw: random.Random) -> tuple[str, bytes]:
    """Return a new author with a name that nobody has."""
    name = f"n{UUID(int=draw.getrandbits(128), version=4).hex[:20]}"
    return "sign-up", request("POST", AUTHORS.path, {"username": name, "email": f"{name}@example.org"})


def some(graph: Graph, draw: random.Random, number: int, *, follows: float = 0.2) -> list[tuple[str, bytes]]:
    """Return this number of commands: posts, and a share of follows, by authors drawn evenly."""
    return [
        follow(graph, draw) if draw.random() < follows else post(graph.author_id(draw.randrange(graph.authors)), draw)
        for _ in range(number)
    ]
