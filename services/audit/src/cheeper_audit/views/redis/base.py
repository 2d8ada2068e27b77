"""The base of the views in Redis: a key for each author or cheep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from cheeper_audit.difference import Difference, Fault, RedisRepair, StoreName
from cheeper_audit.stores.redis import Command, RedisViews, Unreadable
from cheeper_audit.stores.write_model import Span, WriteModel
from cheeper_audit.views.view import Stores
from cheeper_contracts.views import KeyPattern

E = TypeVar("E")

Commands = tuple[tuple[str | bytes, ...], ...]

_AT_ONCE: Final = 500


class RedisView(ABC, Generic[E]):
    """Keys of one pattern. `E` is the expected value by the write model; without one, the key should not exist."""

    pattern: ClassVar[KeyPattern]

    @property
    def store(self) -> StoreName:
        """The store of the view."""
        return "redis"

    @property
    def name(self) -> str:
        """The name of the view."""
        return self.pattern.name

    @property
    def lag_ms(self) -> int | None:
        """The objective of the view, in milliseconds."""
        return self.pattern.lag_ms

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """Implement View."""
        found = self.found(at.redis, span.ids)
        expected = self.expected(at.write_model, span.ids)
        judged = ((one, self.judge(reply, expected.get(one))) for one, reply in zip(span.ids, found, strict=True))
        return [self.difference(identifier, faults) for identifier, faults in judged if faults]

    def repairs(self, at: Stores, ids: Sequence[str]) -> list[RedisRepair]:
        """Implement View."""
        expected = self.expected(at.write_model, ids)
        return [self._repair(at.redis.key(self.pattern, each), expected.get(each)) for each in ids]

    def difference(self, identifier: str, faults: tuple[Fault, ...]) -> Difference:
        """Return one of this view."""
        return Difference(store=self.store, view=self.name, id=identifier, faults=faults)

    def found(self, redis: RedisViews, ids: Sequence[str]) -> list[Any]:
        """Return the replies for the keys, in the order of the ids."""
        return redis.execute(self.read(redis.key(self.pattern, identifier)) for identifier in ids)

    def judge(self, found: Any, expected: E | None) -> tuple[Fault, ...]:
        """Return the faults."""
        if isinstance(found, Unreadable):
            return (Fault(found.reason, f"a {self.pattern.holds}"),)
        return self.faults(found, expected)

    def _repair(self, key: str, expected: E | None) -> RedisRepair:
        return RedisRepair((key,), (("UNLINK", key), *(() if expected is None else self.writing(key, expected))))

    @abstractmethod
    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, E]:
        """Return the expected values by id."""

    @abstractmethod
    def read(self, key: str) -> Command:
        """Return the command that reads a key."""

    @abstractmethod
    def faults(self, found: Any, expected: E | None) -> tuple[Fault, ...]:
        """Return the faults of a reply of the right type."""

    @abstractmethod
    def writing(self, key: str, expected: E) -> Commands:
        """Return the commands that write the value of a key that is not there."""


def pushed(key: str, entries: list[bytes]) -> Commands:
    """Return the commands that fill a list: a script cannot pass on any number of values at once."""
    return tuple(("RPUSH", key, *entries[at : at + _AT_ONCE]) for at in range(0, len(entries), _AT_ONCE))
