"""One look at how late the views are, in words or as JSON: at each server on its own, so that one that is away is a
sentence in the answer and takes nothing from the rest of it.

Whatever is told is told from the stores. No process of Cheeper has to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import msgspec

from cheeper_audit.difference import StoreName
from cheeper_audit.lag import late
from cheeper_audit.relay import SHOWN, Holder, Missing, Outbox, Relay
from cheeper_audit.stores import StoreAwayError
from cheeper_audit.write_model import WriteModel


class Seen(msgspec.Struct, frozen=True):
    """A store as it says itself: the live generation, sequences by partition, fan-out tasks (authors who have some, and
    turns of short timelines) and parked messages that wait.
    """

    generation: int
    sequences: dict[int, int]
    tasks: int
    parked: int


class Looks(msgspec.Struct, frozen=True):
    """How to look at each server. All raise StoreAwayError."""

    write_model: Callable[[], AbstractContextManager[WriteModel]]
    stores: Mapping[StoreName, Callable[[], Seen]]


class StoreLag(msgspec.Struct, frozen=True, kw_only=True):
    """Of one store; `away` is why nothing is known of it, and `missing` is none where the write model is away.

    `late` are the views whose objective the lag is beyond.
    """

    away: str | None = None
    seen: Seen | None = None
    missing: Missing | None = None
    late: tuple[str, ...] = ()


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `away` is why nothing is known of the write model, and so nothing of relay and letters."""

    stores: dict[StoreName, StoreLag]
    away: str | None = None
    relay: Relay | None = None
    letters: dict[str, int] = {}

    @property
    def is_whole(self) -> bool:
        """Whether every server said what it was asked."""
        return self.away is None and not any(store.away for store in self.stores.values())

    @property
    def is_within(self) -> bool:
        """Whether no view that can be told of is later than its objective."""
        return not any(store.late for store in self.stores.values())

    def lines(self) -> Iterator[str]:
        """For people, a line for each store, for the relay and for the write side's letters."""
        for name, store in self.stores.items():
            yield f"{name:<9} {_of_store(store)}"
        if self.away is not None or self.relay is None:
            yield f"relay     {self.away}"
            return
        yield f"relay     {_of_relay(self.relay)}"
        letters = ", ".join(f"{number:,} of {topic}" for topic, number in self.letters.items()) or "none"
        yield f"letters   {letters}"


def look(looks: Looks) -> Glance:
    """Looks at all servers at the same time, so that what they say belongs together, and none waits for one that is
    away.
    """
    with ThreadPoolExecutor(len(looks.stores)) as pool:
        seeing = {name: pool.submit(see) for name, see in looks.stores.items()}
        try:
            with looks.write_model() as write_model:
                outbox = Outbox(write_model)
                return Glance(
                    stores={name: _lag(name, future, outbox) for name, future in seeing.items()},
                    relay=outbox.relay(),
                    letters=outbox.letters(),
                )
        except StoreAwayError as error:  # PostgreSQL's: what the others raise is told by `_lag`
            stores = {name: _lag(name, future, None) for name, future in seeing.items()}
            return Glance(stores=stores, away=str(error))


def _lag(name: StoreName, seeing: Future[Seen], outbox: Outbox | None) -> StoreLag:
    try:
        seen = seeing.result()
    except StoreAwayError as error:
        return StoreLag(away=str(error))
    if outbox is None:
        return StoreLag(seen=seen)
    missing = outbox.missing(seen.sequences)
    return StoreLag(seen=seen, missing=missing, late=late(name, missing.seconds))


def _of_store(store: StoreLag) -> str:
    if store.seen is None:
        return str(store.away)
    waits = f"{store.seen.tasks:,} tasks wait; dead letters: {store.seen.parked:,}; generation {store.seen.generation}"
    missing = store.missing
    if missing is None:
        return f"at {sum(store.seen.sequences.values()):,}, and nobody knows of how many; {waits}"
    verdict = f"beyond the objective of {', '.join(store.late)}" if store.late else "within the objectives"
    least = "at least " if missing.at_least else ""
    return f"{least}{missing.sequences:,} sequences behind, {missing.seconds:.1f} s, {verdict}; {waits}"


def _of_relay(relay: Relay) -> str:
    who = "nobody sends" if relay.active is None else f"one sends (PostgreSQL's pid {relay.active})"
    stands = f"{who}, {relay.standby:,} stand by"
    if not relay.waiting:
        return f"{stands}; nothing waits"
    more = " or more" if relay.waiting >= SHOWN else ""
    waits = f"{stands}; {relay.waiting:,}{more} messages wait, the first for {relay.seconds:.1f} s"
    return f"{waits}; {_horizon(relay.held_back, relay.holder)}" if relay.held_back else waits


def _horizon(held_back: int, holder: Holder | None) -> str:
    if holder is None:
        return f"{held_back:,} of them waited for a transaction that has ended since"
    doing = f", {holder.state}" if holder.state else ""
    age = "" if holder.seconds is None else f", {holder.seconds:.1f} s old"
    return f"{held_back:,} of them for the transaction of {holder.who}{doing}{age}"
