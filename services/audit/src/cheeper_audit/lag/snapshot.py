"""A snapshot of the lag of the views, in words or as JSON.

It reads the stores alone, so no process of Cheeper has to run. Each server is read on its own: one that is unavailable
is a sentence in the snapshot, and the rest is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import msgspec

from cheeper_audit.difference import StoreName
from cheeper_audit.lag.meter import late
from cheeper_audit.lag.outbox import SHOWN, Accepted, Holder, Missing, Outbox, Relay
from cheeper_audit.stores import StoreUnavailableError
from cheeper_audit.stores.write_model import WriteModel
from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS, OVERDUE_SECONDS


class StoreSnapshot(msgspec.Struct, frozen=True):
    """The state of a store: the live generation, the sequences by partition, the number of waiting fan-out tasks
    (authors who have some, and turns of short timelines) and the number of parked messages.
    """

    generation: int
    sequences: dict[int, int]
    tasks: int
    parked: int


class Sources(msgspec.Struct, frozen=True):
    """The functions that read each server. All raise StoreUnavailableError."""

    write_model: Callable[[], AbstractContextManager[WriteModel]]
    stores: Mapping[StoreName, Callable[[], StoreSnapshot]]


class StoreLag(msgspec.Struct, frozen=True, kw_only=True):
    """The lag of one store, or the reason why it is unavailable. `missing` is None if the write model is unavailable.

    `late` are the views whose objective is exceeded.
    """

    unavailable: str | None = None
    snapshot: StoreSnapshot | None = None
    missing: Missing | None = None
    late: tuple[str, ...] = ()


class LagSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The lag of the stores, the relay and the dead letters, or the reason why the write model is unavailable."""

    stores: dict[StoreName, StoreLag]
    unavailable: str | None = None
    relay: Relay | None = None
    dead_letters: dict[str, int] = {}
    accepted: Accepted | None = None

    @property
    def is_whole(self) -> bool:
        """True if every server was available."""
        return self.unavailable is None and not any(store.unavailable for store in self.stores.values())

    @property
    def is_within(self) -> bool:
        """True if no view of an available store exceeds its objective."""
        return not any(store.late for store in self.stores.values())

    def lines(self) -> Iterator[str]:
        """Yield a line for each store, for the relay and for the write side's dead letters."""
        for name, store in self.stores.items():
            yield f"{name:<12} {_of_store(store)}"
        if self.unavailable is not None or self.relay is None:
            yield f"relay        {self.unavailable}"
            return
        yield f"relay        {_of_relay(self.relay)}"
        if self.accepted is not None and (sentence := _of_accepted(self.accepted)):
            yield f"commands     {sentence}"
        waiting = ", ".join(f"{number:,} of {topic}" for topic, number in self.dead_letters.items()) or "none"
        yield f"dead letters {waiting}"


def take(sources: Sources) -> LagSnapshot:
    """Read all servers at the same time, so that their states belong together and none waits for another."""
    with ThreadPoolExecutor(len(sources.stores)) as pool:
        futures = {name: pool.submit(take_one) for name, take_one in sources.stores.items()}
        try:
            with sources.write_model() as write_model:
                outbox = Outbox(write_model)
                return LagSnapshot(
                    stores={name: _lag(name, future, outbox) for name, future in futures.items()},
                    relay=outbox.relay(),
                    dead_letters=outbox.dead_letters(),
                    accepted=outbox.accepted(),
                )
        except StoreUnavailableError as error:  # of PostgreSQL: `_lag` handles the errors of the others
            stores = {name: _lag(name, future, None) for name, future in futures.items()}
            return LagSnapshot(stores=stores, unavailable=str(error))


def _lag(name: StoreName, futures: Future[StoreSnapshot], outbox: Outbox | None) -> StoreLag:
    try:
        snapshot = futures.result()
    except StoreUnavailableError as error:
        return StoreLag(unavailable=str(error))
    if outbox is None:
        return StoreLag(snapshot=snapshot)
    missing = outbox.missing(snapshot.sequences)
    return StoreLag(snapshot=snapshot, missing=missing, late=late(name, missing.seconds))


def _of_store(store: StoreLag) -> str:
    if store.snapshot is None:
        return str(store.unavailable)
    state = store.snapshot
    waits = f"{state.tasks:,} tasks wait; dead letters: {state.parked:,}; generation {state.generation}"
    missing = store.missing
    if missing is None:
        return f"at {sum(state.sequences.values()):,}, of an unknown number; {waits}"
    verdict = f"beyond the objective of {', '.join(store.late)}" if store.late else "within the objectives"
    least = "at least " if missing.at_least else ""
    return f"{least}{missing.sequences:,} sequences behind, {missing.seconds:.1f} s, {verdict}; {waits}"


def _of_relay(relay: Relay) -> str:
    who = "nobody sends" if relay.active is None else f"one sends (PostgreSQL's pid {relay.active})"
    relays = f"{who}, {relay.standby:,} stand by"
    if not relay.waiting:
        return f"{relays}; nothing waits"
    more = " or more" if relay.waiting >= SHOWN else ""
    waits = f"{relays}; {relay.waiting:,}{more} messages wait, the first for {relay.seconds:.1f} s"
    return f"{waits}; {_horizon(relay.held_back, relay.holder)}" if relay.held_back else waits


def _of_accepted(accepted: Accepted) -> str:
    """Return a sentence about accepted commands that may be lost, or an empty one if there are none."""
    found = []
    if accepted.overdue:
        found.append(f"{accepted.overdue:,} were accepted more than {OVERDUE_SECONDS} s ago and are not handled")
    if accepted.replaced_seconds is not None and accepted.replaced_seconds < COMMAND_RECORD_SECONDS:
        hours = accepted.replaced_seconds / 3600
        found.append(
            f"the topic was found to have lost its end or to be made again {hours:,.1f} h ago: what had been accepted "
            "and not handled is lost"
        )
    return "; ".join(found) + "; a repeat with its message id repairs a command" if found else ""


def _horizon(held_back: int, holder: Holder | None) -> str:
    if holder is None:
        return f"{held_back:,} of them waited for a transaction that has ended since"
    doing = f", {holder.state}" if holder.state else ""
    age = "" if holder.seconds is None else f", {holder.seconds:.1f} s old"
    return f"{held_back:,} of them for the transaction of {holder.who}{doing}{age}"
