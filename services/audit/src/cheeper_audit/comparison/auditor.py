"""The whole audit: every view of every author, cheep and notification, and every key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

from cheeper_audit.comparison.quiescence import Comparison, Outcome
from cheeper_audit.difference import Difference, Repair
from cheeper_audit.stores.write_model import Span
from cheeper_audit.views.mongo import orphans as mongo_orphans
from cheeper_audit.views.redis import orphans as redis_orphans
from cheeper_audit.views.table import SWEEPS, Sweep
from cheeper_audit.views.view import Stores, View

KEYS: Final = "keys"

Phase = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]
"""Begins a named part of a number of items, and gives a function to call with the number of items done."""


class Auditor:
    """Compares everything in chunks, so that its memory does not grow with the number of authors."""

    def __init__(self, stores: Stores, audit: Callable[[Comparison], Outcome], phase: Phase) -> None:
        self._stores = stores
        self._audit = audit
        self._phase = phase

    def run(self) -> Iterator[Outcome]:
        """Yield the outcome of each chunk. Raise NotQuiescentError, StoreUnavailableError."""
        for sweep in SWEEPS:
            yield from self._sweep(sweep)
        yield from self._orphans()

    def _sweep(self, sweep: Sweep) -> Iterator[Outcome]:
        self._stores.write_model.refresh()
        with self._phase(sweep.table, self._stores.write_model.count(sweep.table)) as tick:
            after: str | None = None
            while True:
                chunk = Chunk(self._stores, sweep, after)
                yield self._audit(Comparison(chunk.compare, chunk.repairs))
                tick(len(chunk.span.ids))
                after = chunk.span.upto
                if after is None:
                    return

    def _orphans(self) -> Iterator[Outcome]:
        if "mongo" in self._stores.audited:
            mongo = self._stores.mongo
            yield self._audit(
                Comparison(lambda: mongo_orphans.orphans(mongo), lambda found: mongo_orphans.repairs(mongo, found))
            )
        if "redis" in self._stores.audited:
            yield from self._orphan_keys()

    def _orphan_keys(self) -> Iterator[Outcome]:
        redis, reported = self._stores.redis, set[str]()
        redis.follow()
        stem = redis.stem  # of the scanned keys, also if another generation becomes live meanwhile
        with self._phase(KEYS, redis.number_of_keys()) as tick:
            for keys in redis.all_keys():
                by_name = {key.decode(errors="backslashreplace").removeprefix(stem): key for key in keys}
                named = {name: key for name, key in by_name.items() if name not in reported}
                outcome = self._audit(self._keys(named))
                reported |= {each.id for each in outcome.found}
                yield outcome
                tick(len(keys))

    def _keys(self, keys: dict[str, bytes]) -> Comparison:
        stores = self._stores
        return Comparison(
            lambda: redis_orphans.orphans(stores.write_model, stores.redis, keys),
            lambda found: redis_orphans.repairs(keys[each.id] for each in found),
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
        """Return the differences of all the sweep's views."""
        self.span = self._stores.write_model.span(self._sweep.table, self._after, self._sweep.chunk)
        return [each for view in self._views.values() for each in view.differences(self._stores, self.span)]

    def repairs(self, differences: Sequence[Difference]) -> list[Repair]:
        """Return the repairs of some differences."""
        ids: dict[tuple[str, str], list[str]] = {}
        for each in differences:
            ids.setdefault((each.store, each.view), []).append(each.id)
        return [repair for name, named in ids.items() for repair in self._views[name].repairs(self._stores, named)]
