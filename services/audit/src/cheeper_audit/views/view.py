"""What the auditor asks of a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from cheeper_audit.difference import Difference, Mend, StoreName
from cheeper_audit.stores.mongo import MongoViews
from cheeper_audit.stores.redis import RedisViews
from cheeper_audit.write_model import Span, WriteModel


class Stores(msgspec.Struct, frozen=True):
    """What is compared: a snapshot of the write model, and the views of the stores that are `audited`."""

    write_model: WriteModel
    redis: RedisViews
    mongo: MongoViews
    audited: tuple[StoreName, ...] = ("redis", "mongo")

    def moved(self) -> bool:
        """Whether another generation is live than when that was asked last. Raises StoreAwayError."""
        in_redis = "redis" in self.audited and self.redis.follow()
        in_mongo = "mongo" in self.audited and self.mongo.follow()
        return in_redis or in_mongo

    def record_comparison(self) -> bool:
        """Record in the registry of the one store that is audited that its generation equals the write model, so that
        a switch to it is not refused. Return False if it is not active. Raise StoreAwayError.
        """
        [store] = self.audited
        return self.redis.record_comparison() if store == "redis" else self.mongo.record_comparison()


class View(Protocol):
    """A view: `name` and `lag_ms`, its objective, are as `cheeper_contracts.views` declares them."""

    @property
    def store(self) -> StoreName:
        """Where it is."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def lag_ms(self) -> int | None:
        """How late it may be."""
        ...

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """Where the view differs within a span of the ids that its sweep goes by. Raises StoreAwayError."""
        ...

    def mends(self, at: Stores, ids: Sequence[str]) -> Sequence[Mend]:
        """What writes the expected values of keys or documents that differ, by the same snapshot."""
        ...
