"""The base of the views that are sorted sets: read, compared and repaired in bounded steps, whatever their size."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final, LiteralString

from cheeper_audit.difference import Fault, RedisRepair, of_members
from cheeper_audit.stores.redis import Command, RedisViews, Unreadable
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.redis.base import Commands, RedisView
from cheeper_audit.views.view import Stores

MEMBERS_AT_ONCE: Final = 2_000
"""Members that one command reads, which takes Redis less than 1 ms."""
_WRITTEN_AT_ONCE: Final = 500

Members = list[tuple[bytes, bytes]]
"""Each member with its score, as Redis returns it."""


class SortedSet(RedisView[list[bytes]]):
    """A sorted set, all scores 0, so that it is in the order of its members' bytes."""

    def found(self, redis: RedisViews, ids: Sequence[str]) -> list[Any]:
        """Return the Members of each set, or Unreadable."""
        keys = [redis.key(self.pattern, identifier) for identifier in ids]
        firsts = redis.execute(map(self.read, keys))
        return [
            first if isinstance(first, Unreadable) else _whole(redis, key, first)
            for key, first in zip(keys, firsts, strict=True)
        ]

    def read(self, key: str) -> Command:
        """Return the command that reads the first members and their scores in turn."""
        return _page(key, 0)

    def faults(self, found: Members, expected: list[bytes] | None) -> tuple[Fault, ...]:
        """Return missing and surplus members; a member whose score is not 0 is surplus."""
        wanted = expected or []
        if found == [(member, b"0") for member in wanted]:
            return ()
        return of_members(
            [self._named(member, score) for member, score in found], [self.describe(member) for member in wanted]
        )

    def repairs(self, at: Stores, ids: Sequence[str]) -> list[RedisRepair]:
        """Implement View: write only what differs, in steps that each compare the checkpoints."""
        expected, found = self.expected(at.write_model, ids), self.found(at.redis, ids)
        return [
            RedisRepair((key,), (command,))
            for identifier, each in zip(ids, found, strict=True)
            for key in (at.redis.key(self.pattern, identifier),)
            for command in self._differing(key, each, expected.get(identifier, []))
        ]

    def writing(self, key: str, expected: list[bytes]) -> Commands:
        """Return the commands that add the members."""
        return tuple(("ZADD", key, *_scored(some)) for some in _steps(expected))

    @abstractmethod
    def describe(self, member: bytes) -> str:
        """Return a member for a line."""

    def _differing(self, key: str, found: Members | Unreadable, expected: list[bytes]) -> Commands:
        if isinstance(found, Unreadable):
            return (("UNLINK", key), *self.writing(key, expected))
        wanted, right = set(expected), {member for member, score in found if score == b"0"}
        surplus = [member for member, _ in found if member not in wanted]
        removing: Commands = tuple(("ZREM", key, *some) for some in _steps(surplus))
        return (*removing, *self.writing(key, [member for member in expected if member not in right]))

    def _named(self, member: bytes, score: bytes) -> str:
        name = self.describe(member)
        return name if score == b"0" else f"{name} at score {score.decode()}"


class AuthorSet(SortedSet):
    """A set of authors' ids; `members` selects the owner and the ids in their order, with a space between them."""

    members: ClassVar[LiteralString]

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, list[bytes]]:
        """Return the members' ids in order, of each author who has any."""
        return {owner: members.encode().split(b" ") for owner, members in write_model.rows(self.members, list(ids))}

    def describe(self, member: bytes) -> str:
        """Return the id."""
        return member.decode(errors="replace")


def _steps(members: list[bytes]) -> Iterator[list[bytes]]:
    return (members[at : at + _WRITTEN_AT_ONCE] for at in range(0, len(members), _WRITTEN_AT_ONCE))


def _scored(members: list[bytes]) -> Iterator[str | bytes]:
    for member in members:
        yield from ("0", member)


def _page(key: str, first: int) -> Command:
    return ("ZRANGE", key, first, first + MEMBERS_AT_ONCE - 1, "WITHSCORES")


def _whole(redis: RedisViews, key: str, first: list[bytes]) -> Members:
    return [pair for page in _pages(redis, key, first) for pair in zip(page[::2], page[1::2], strict=True)]


def _pages(redis: RedisViews, key: str, page: list[bytes]) -> Iterator[list[bytes]]:
    read = 0
    while page:
        yield page
        read += len(page) // 2
        if len(page) < 2 * MEMBERS_AT_ONCE:
            return
        [page] = redis.execute([_page(key, read)])
