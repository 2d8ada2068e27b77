"""What the views in Redis have in common: a key for each author or cheep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from cheeper_audit.difference import Difference, Fault, RedisMend, StoreName
from cheeper_audit.stores.redis import Command, RedisViews, Unreadable
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import Span, WriteModel
from cheeper_contracts.views import KeyPattern

E = TypeVar("E")

Written = tuple[tuple[str | bytes, ...], ...]

_AT_ONCE: Final = 500


class RedisView(ABC, Generic[E]):
    """Keys of one pattern. `E` is what the write model says of one; where it says nothing, the key is not there."""

    pattern: ClassVar[KeyPattern]

    @property
    def store(self) -> StoreName:
        """Where it is."""
        return "redis"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.pattern.name

    @property
    def lag_ms(self) -> int | None:
        """How late it may be."""
        return self.pattern.lag_ms

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """As View has it."""
        found = self.found(at.redis, span.ids)
        expected = self.expected(at.write_model, span.ids)
        judged = ((one, self.judge(reply, expected.get(one))) for one, reply in zip(span.ids, found, strict=True))
        return [self.difference(identifier, faults) for identifier, faults in judged if faults]

    def mends(self, at: Stores, ids: Sequence[str]) -> list[RedisMend]:
        """As View has it."""
        expected = self.expected(at.write_model, ids)
        return [self._mend(at.redis.key(self.pattern, each), expected.get(each)) for each in ids]

    def difference(self, identifier: str, faults: tuple[Fault, ...]) -> Difference:
        """One of this view."""
        return Difference(store=self.store, view=self.name, id=identifier, faults=faults)

    def found(self, redis: RedisViews, ids: Sequence[str]) -> list[Any]:
        """What the keys give, in the order of the ids."""
        return redis.ask(self.read(redis.key(self.pattern, identifier)) for identifier in ids)

    def judge(self, found: Any, expected: E | None) -> tuple[Fault, ...]:
        """What is otherwise than it should be."""
        if isinstance(found, Unreadable):
            return (Fault(found.why, f"a {self.pattern.holds}"),)
        return self.faults(found, expected)

    def _mend(self, key: str, expected: E | None) -> RedisMend:
        return RedisMend((key,), (("DEL", key), *(() if expected is None else self.written(key, expected))))

    @abstractmethod
    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, E]:
        """What the write model says, by id."""

    @abstractmethod
    def read(self, key: str) -> Command:
        """The command that reads a key."""

    @abstractmethod
    def faults(self, found: Any, expected: E | None) -> tuple[Fault, ...]:
        """What is otherwise than it should be, of a reply that is of the right type."""

    @abstractmethod
    def written(self, key: str, expected: E) -> Written:
        """The commands that write the value of a key that is not there."""


def pushed(key: str, entries: list[bytes]) -> Written:
    """The commands that fill a list: a script cannot pass on any number of values at once."""
    return tuple(("RPUSH", key, *entries[at : at + _AT_ONCE]) for at in range(0, len(entries), _AT_ONCE))
