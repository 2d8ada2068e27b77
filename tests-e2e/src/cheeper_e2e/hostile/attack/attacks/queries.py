"""Queries that read much for what they return, and queries that wait."""

from __future__ import annotations

from typing import Final

from cheeper_e2e.authors import new_id
from cheeper_e2e.hostile.attack.attacks.base import NO_RESPONSE, Attack, Victim, connected, get, send

_FREQUENT: Final = ("a", "ca", "an", "th", "a%20ca%20an%20th%20add")
_LONGEST_WAIT: Final = 10  # seconds


def _search(number: int) -> bytes:
    q = _FREQUENT[number % len(_FREQUENT)]
    return get(f"/search?q={q}&page={1 + number % 3}&page_size=100&sort_order={('asc', 'desc')[number % 2]}")


async def _searched(victim: Victim, number: int) -> int:
    return await send(victim, _search(number))


async def _searched_and_left(victim: Victim, number: int) -> int:
    async with connected(victim) as (_, writer):
        writer.write(_search(number))
        await writer.drain()
    return NO_RESPONSE


async def _deep_page(victim: Victim, number: int) -> int:
    cursors = victim.scene.deep_cursors
    path = f"/author/{victim.scene.mallory.author_id}/timeline?size=100&cursor={cursors[number % len(cursors)]}"
    return await send(victim, get(path))


async def _discussed(victim: Victim, _: int) -> int:
    return await send(victim, get(f"/cheep/{victim.scene.discussed}"))


async def _waiting(victim: Victim, _: int) -> int:
    path = f"/author/{victim.scene.mallory.author_id}/timeline?after={new_id()}&timeout={_LONGEST_WAIT}"
    return await send(victim, get(path))


ATTACKS: Final = (
    Attack(
        name="searches",
        does="searches of ten clients for beginnings that most cheeps have",
        strike=_searched,
        per_second=40,
        clients=10,
    ),
    Attack(
        name="abandoned-searches",
        does="the same by clients that hang up at once",
        strike=_searched_and_left,
        per_second=40,
        clients=10,
    ),
    Attack(
        name="deep-pages",
        does="pages behind a timeline's list, of a reader who follows many",
        strike=_deep_page,
        per_second=20,
    ),
    Attack(
        name="discussed-cheep",
        does="a cheep with many answers",
        strike=_discussed,
        per_second=40,
    ),
    Attack(
        name="waits",
        does="queries `after` unknown commands, each for 10 s",
        strike=_waiting,
        per_second=400,
        clients=None,
    ),
)
