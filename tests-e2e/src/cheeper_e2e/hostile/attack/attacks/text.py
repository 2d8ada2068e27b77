"""Texts that cost more than they are long: combining marks, whose normalisation is quadratic."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from cheeper_e2e.authors import new_author, new_id
from cheeper_e2e.hostile.attack.attacks.base import Attack, Victim, command, get, send

_MARKS_OF_A_BODY: Final = 15_500  # of each of two kinds: about 62 KB
_MARKS_OF_A_QUERY: Final = 2000  # 24 KB as they are written in a URL


def _marks(number: int) -> str:
    """Return a letter with marks of two classes, in the order that takes longest to bring into canonical order."""
    return "a" + "\u0300" * number + "\u0316" * number


_LONG: Final = _marks(_MARKS_OF_A_BODY)
_QUERY: Final = quote(_marks(_MARKS_OF_A_QUERY))


async def _in_commands(victim: Victim, number: int) -> int:
    mallory = victim.scene.mallory.author_id
    author = new_author()
    messages = (
        ("POST", "/cheep", {"author_id": mallory, "message": _LONG}),
        ("PATCH", f"/author/{mallory}", {"bio": _LONG}),
        ("POST", "/author", {"username": _LONG, "email": author.email}),
        ("POST", f"/cheep/{new_id()}/answer", {"author_id": mallory, "message": _LONG}),
        ("PUT", f"/author/{mallory}/email", {"email": f"{_LONG}@example.org"}),
    )
    return await send(victim, command(*messages[number % len(messages)]))


async def _in_queries(victim: Victim, number: int) -> int:
    paths = (f"/search?q={_QUERY}", f"/author?username={_QUERY}", f"/search/authors?q={_QUERY}")
    return await send(victim, get(paths[number % len(paths)]))


ATTACKS: Final = (
    Attack(
        name="marks-in-commands",
        does="62 KB of combining marks as message, bio, username and e-mail address",
        strike=_in_commands,
        per_second=10,
    ),
    Attack(
        name="marks-in-queries",
        does="4,000 combining marks as q and username",
        strike=_in_queries,
        per_second=10,
    ),
)
