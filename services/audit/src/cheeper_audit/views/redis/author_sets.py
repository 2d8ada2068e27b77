"""What the sets of followers and of followed authors have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, LiteralString

from cheeper_audit.difference import Fault, of_members
from cheeper_audit.stores.redis import Command
from cheeper_audit.views.redis.base import RedisView, Written
from cheeper_audit.write_model import WriteModel

_AT_ONCE: Final = 500


class AuthorSet(RedisView[list[str]]):
    """A sorted set of authors, all scores 0, so that it is in the order of the ids."""

    members: ClassVar[LiteralString]

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, list[str]]:
        """The members' ids in order, of each author who has any."""
        return {owner: members.split(" ") for owner, members in write_model.rows(self.members, list(ids))}

    def read(self, key: str) -> Command:
        """Members and scores in turn."""
        return ("ZRANGE", key, 0, -1, "WITHSCORES")

    def faults(self, found: list[bytes], expected: list[str] | None) -> tuple[Fault, ...]:
        """Who is missing, who is too many; one whose score is not 0 is another one."""
        scores = zip(found[::2], found[1::2], strict=True)
        members = [_named(member, score) for member, score in scores]
        return of_members(members, expected or [])

    def written(self, key: str, expected: list[str]) -> Written:
        """All members."""
        scored = [part for member in expected for part in ("0", member)]
        return tuple(("ZADD", key, *scored[at : at + 2 * _AT_ONCE]) for at in range(0, len(scored), 2 * _AT_ONCE))


def _named(member: bytes, score: bytes) -> str:
    name = member.decode(errors="replace")
    return name if score == b"0" else f"{name} at score {score.decode()}"
