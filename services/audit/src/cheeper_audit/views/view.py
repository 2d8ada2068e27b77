"""The protocol of an audited view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from cheeper_audit.difference import Difference, Repair, StoreName
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.stores.write_model import Span, WriteModel


class Stores(msgspec.Struct, frozen=True):
    """The two sides: a snapshot of the write model, and the views of the stores that are `audited`."""

    write_model: WriteModel
    redis: RedisViews
    mongo: MongoViews
    audited: tuple[StoreName, ...] = ("redis", "mongo")

    def moved(self) -> bool:
        """Return whether another generation is live than at the last call. Raise StoreUnavailableError."""
        in_redis = "redis" in self.audited and self.redis.follow()
        in_mongo = "mongo" in self.audited and self.mongo.follow()
        return in_redis or in_mongo

    def record_comparison(self) -> bool:
        """Record in the registry of the one store that is audited that its generation equals the write model, so that
        a switch to it is not refused. Return False if it is not active. Raise StoreUnavailableError.
        """
        [store] = self.audited
        return self.redis.record_comparison() if store == "redis" else self.mongo.record_comparison()


class View(Protocol):
    """A view: `name` and `lag_ms`, its objective, are as `cheeper_contracts.views` declares them."""

    @property
    def store(self) -> StoreName:
        """The store of the view."""
        ...

    @property
    def name(self) -> str:
        """The name of the view."""
        ...

    @property
    def lag_ms(self) -> int | None:
        """The objective of the view, in milliseconds."""
        ...

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """Return the differences within a span of the ids that its sweep goes by. Raise StoreUnavailableError."""
        ...

    def repairs(self, at: Stores, ids: Sequence[str]) -> Sequence[Repair]:
        """Return the repairs that write the expected values of keys or documents, by the same snapshot."""
        ...
