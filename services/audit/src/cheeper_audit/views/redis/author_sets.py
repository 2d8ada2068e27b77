"""The base of the sets of followers and of followed authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, LiteralString

from cheeper_audit.difference import Fault, of_members
from cheeper_audit.stores.redis import Command
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.redis.base import Commands, RedisView

_AT_ONCE: Final = 500


class AuthorSet(RedisView[list[str]]):
    """A sorted set of authors, all scores 0, so that it is in the order of the ids."""

    members: ClassVar[LiteralString]

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the members' ids in order, of each author who has any."""
        return {owner: members.split(" ") for owner, members in write_model.rows(self.members, list(ids))}

    def read(self, key: str) -> Command:
        """Return the command that reads members and scores in turn."""
        return ("ZRANGE", key, 0, -1, "WITHSCORES")

    def faults(self, found: list[bytes], expected: list[str] | None) -> tuple[Fault, ...]:
        """Return missing and surplus members; a member whose score is not 0 is surplus."""
        scores = zip(found[::2], found[1::2], strict=True)
        members = [_named(member, score) for member, score in scores]
        return of_members(members, expected or [])

    def writing(self, key: str, expected: list[str]) -> Commands:
        """Return all members."""
        scored = [part for member in expected for part in ("0", member)]
        return tuple(("ZADD", key, *scored[at : at + 2 * _AT_ONCE]) for at in range(0, len(scored), 2 * _AT_ONCE))


def _named(member: bytes, score: bytes) -> str:
    name = member.decode(errors="replace")
    return name if score == b"0" else f"{name} at score {score.decode()}"
