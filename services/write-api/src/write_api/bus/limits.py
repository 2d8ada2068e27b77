"""The limits of the concurrent work for clients' commands: one for each server that a command needs."""

from __future__ import annotations

import msgspec

from cheeper_runtime.concurrency.limit import ConcurrencyLimit


class Limits(msgspec.Struct, frozen=True):
    """The limits of the commands that use the database, and of those that wait for the broker. A slow server does not
    take the places of the other one's commands.
    """

    database: ConcurrencyLimit
    broker: ConcurrencyLimit

    @classmethod
    def of(cls, *, database: int, broker: int, queue_seconds: float) -> Limits:
        """Return limits of so many commands at once, and of so many seconds until their turn."""
        return cls(
            database=ConcurrencyLimit("database", at_once=database, queue_seconds=queue_seconds),
            broker=ConcurrencyLimit("broker", at_once=broker, queue_seconds=queue_seconds),
        )

    def all(self) -> tuple[ConcurrencyLimit, ...]:
        """Return all of them."""
        return self.database, self.broker
