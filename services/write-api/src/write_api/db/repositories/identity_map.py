"""The aggregates of one kind in one transaction: each is read once, handed out as a copy, and written at flush.

A batch of commands thus takes a few statements in all instead of some for each command. Constraints that only the
tables know (a name is taken, a row that is referred to does not exist) then break for the batch as a whole, which is a
ClashError. The bus runs such a batch again, and has each command written separately, so that its refusal is known.

Commands of one key end as if each had been run alone, in their order. Between keys no order is promised: the effect of
another key's command may count for an earlier command of the batch.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import ClassVar, Generic, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from write_api.bus.unit_of_work import ClashError
from write_api.domain.errors import Refusal

Id = TypeVar("Id")
Aggregate = TypeVar("Aggregate")


class IdentityMap(ABC, Generic[Id, Aggregate]):
    """The aggregates that one transaction knows; a subclass is the repository of one kind.

    `separately` means that each command is flushed before the next one, and each aggregate in a statement of its own.
    """

    has_unique_name: ClassVar[bool] = False
    """Another aggregate may not have the same name (an address, an id of its own). If such an aggregate were saved
    twice before a flush, its first name would never be tried."""

    def __init__(self, connection: AsyncConnection, *, separately: bool = False) -> None:
        self._connection = connection
        self._separately = separately
        self._known: dict[Id, Aggregate | None] = {}
        self._changed: dict[Id, None] = {}
        self._pending: dict[Id, Aggregate] = {}

    @abstractmethod
    async def find(self, identities: Collection[Id]) -> dict[Id, Aggregate]:
        """Read the aggregates that exist."""

    @abstractmethod
    async def write(self, changed: Sequence[Aggregate]) -> None:
        """Write these, new or changed. Raise IntegrityError or a Refusal if a rule of the tables is broken."""

    def refusals(self, aggregate: Aggregate) -> Mapping[str, Refusal]:
        """Return the refusal that each constraint means for this aggregate, by the constraint's name."""
        del aggregate
        return {}

    async def prefetch(self, identities: Collection[Id]) -> None:
        """Read these in one statement; others are read when they are asked for."""
        if identities:
            found = await self.find(identities)
            self._known |= {identity: found.get(identity) for identity in identities}

    async def get(self, identity: Id) -> Aggregate | None:
        """Return a copy of the aggregate as this transaction has left it, so that an undone change is gone with it."""
        if identity not in self._pending and identity not in self._known:
            await self.prefetch([identity])
        return copy.copy(self._pending.get(identity) or self._known.get(identity))

    def put(self, identity: Id, aggregate: Aggregate) -> None:
        """Save the aggregate, to be written by `flush`. Raise ClashError if it must be flushed first."""
        if self.has_unique_name and identity in self._changed:
            raise ClashError("one aggregate is changed twice")
        self._pending[identity] = copy.copy(aggregate)

    def known(self) -> Iterator[Aggregate]:
        """Yield everything that was read or saved in this transaction."""
        return (one for one in chain(self._pending.values(), self._known.values()) if one is not None)

    def is_changed(self, identity: Id) -> bool:
        """Return True if the aggregate was saved and is still to be written."""
        return identity in self._pending or identity in self._changed

    def accept(self) -> None:
        """Let what was saved count for later commands."""
        self._known |= self._pending
        self._changed |= dict.fromkeys(self._pending)
        self._pending.clear()

    def undo(self) -> None:
        """Forget what was saved since `accept`."""
        self._pending.clear()

    async def flush(self) -> None:
        """Write what was saved. Raise ClashError, or the Refusal of the aggregate if it is written separately."""
        changed = [self._pending.get(identity) or self._known[identity] for identity in self._changed | self._pending]
        aggregates = [one for one in changed if one is not None]
        if not self._separately:
            try:
                await self._write(aggregates)
            except (Refusal, IntegrityError) as error:
                raise ClashError(str(error)) from error
            return
        for aggregate in aggregates:
            try:
                await self._write([aggregate])
            except IntegrityError as error:
                constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
                raise self.refusals(aggregate).get(constraint, error) from error

    def flushed(self) -> None:
        """Note that everything saved is written."""
        self.accept()
        self._changed.clear()

    async def _write(self, aggregates: Sequence[Aggregate]) -> None:
        if aggregates:
            await self.write(aggregates)
