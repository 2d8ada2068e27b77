"""The whole audit: every view of every author, cheep and notification, and every key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

from cheeper_audit.difference import Difference, Mend
from cheeper_audit.rest import Look, Outcome
from cheeper_audit.views.mongo import strays as mongo_strays
from cheeper_audit.views.redis import strays as redis_strays
from cheeper_audit.views.table import SWEEPS, Sweep
from cheeper_audit.views.view import Stores, View
from cheeper_audit.write_model import Span

KEYS: Final = "keys"

Phase = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]
"""A named part of so many items; gives what to call with a number of items that are done."""


class Auditor:
    """Goes through everything in chunks. What it holds at a time does not grow with the number of authors."""

    def __init__(self, stores: Stores, audit: Callable[[Look], Outcome], phase: Phase) -> None:
        self._stores = stores
        self._audit = audit
        self._phase = phase

    def run(self) -> Iterator[Outcome]:
        """The outcome of each chunk. Raises NotAtRestError, StoreAwayError."""
        for sweep in SWEEPS:
            yield from self._sweep(sweep)
        yield from self._strays()

    def _sweep(self, sweep: Sweep) -> Iterator[Outcome]:
        self._stores.write_model.refresh()
        with self._phase(sweep.table, self._stores.write_model.count(sweep.table)) as tick:
            after: str | None = None
            while True:
                chunk = Chunk(self._stores, sweep, after)
                yield self._audit(Look(chunk.compare, chunk.mends))
                tick(len(chunk.span.ids))
                after = chunk.span.upto
                if after is None:
                    return

    def _strays(self) -> Iterator[Outcome]:
        if "mongo" in self._stores.audited:
            mongo = self._stores.mongo
            look = Look(lambda: mongo_strays.strays(mongo), lambda found: mongo_strays.mends(mongo, found))
            yield self._audit(look)
        if "redis" in self._stores.audited:
            yield from self._stray_keys()

    def _stray_keys(self) -> Iterator[Outcome]:
        redis, told = self._stores.redis, set[str]()
        redis.follow()
        stem = redis.stem  # of the keys that are scanned, whatever becomes live meanwhile
        with self._phase(KEYS, redis.number_of_keys()) as tick:
            for keys in redis.all_keys():
                by_name = {key.decode(errors="backslashreplace").removeprefix(stem): key for key in keys}
                named = {name: key for name, key in by_name.items() if name not in told}
                outcome = self._audit(self._keys(named))
                told |= {each.id for each in outcome.found}
                yield outcome
                tick(len(keys))

    def _keys(self, keys: dict[str, bytes]) -> Look:
        stores = self._stores
        return Look(
            lambda: redis_strays.strays(stores.write_model, stores.redis, keys),
            lambda found: redis_strays.mends(keys[each.id] for each in found),
        )


class Chunk:
    """The views of the next ids behind `after`; `span` is what was compared last."""

    def __init__(self, stores: Stores, sweep: Sweep, after: str | None) -> None:
        self._stores = stores
        self._sweep = sweep
        self._after = after
        self._views: dict[tuple[str, str], View] = {(view.store, view.name): view for view in sweep.of(stores.audited)}
        self.span = Span(after, None, ())

    def compare(self) -> list[Difference]:
        """The differences of all the sweep's views."""
        self.span = self._stores.write_model.span(self._sweep.table, self._after, self._sweep.chunk)
        return [each for view in self._views.values() for each in view.differences(self._stores, self.span)]

    def mends(self, differences: Sequence[Difference]) -> list[Mend]:
        """What mends some of them."""
        ids: dict[tuple[str, str], list[str]] = {}
        for each in differences:
            ids.setdefault((each.store, each.view), []).append(each.id)
        return [mend for name, named in ids.items() for mend in self._views[name].mends(self._stores, named)]
